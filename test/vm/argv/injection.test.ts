/**
 * No value can become anything but a value: names and paths of every kind of character go through opt() and the shell
 * into real QEMUs, and QMP says what arrived.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { qemuCommand, renderCommand } from '../../../src/plan/qemu/command.ts';
import { type QemuContext, runPaths } from '../../../src/plan/qemu/context.ts';
import { parseIfName } from '../../../src/spec/ifname.ts';
import type { Mac } from '../../../src/spec/mac.ts';
import { isProblem } from '../../../src/spec/raw.ts';
import { readSources } from '../../../src/spec/sources.ts';
import { parseVmSpec } from '../../../src/spec/vm.ts';
import type { VmSpec } from '../../../src/spec/vm-spec.ts';
import { qemus } from '../../tiers/qemus.ts';
import { makeFiles } from './files.ts';
import { ask } from './qmp-facts.ts';
import { world } from './world.ts';

const RUN_DIR = '/run/qlaunch/vm';
const WITNESS = '/srv/pwned';

/** What a shell, QEMU's option reader or a block driver might take for something else. */
const PIECES = [
  ',',
  ',,',
  '=',
  ' ',
  "'",
  '"',
  '\\',
  '\n',
  '\t',
  '$',
  '`',
  ';',
  '#',
  '&',
  '|',
  '<',
  '>',
  '(',
  ')',
  '{',
  '}',
  '[',
  ']',
  '*',
  '?',
  '~',
  '!',
  '%',
  '%d',
  ':',
  'é',
  '日',
  '-',
  '.',
  'a',
  'Z',
  '0',
  `$(touch ${WITNESS})`,
  `\`touch ${WITNESS}\``,
  `';touch ${WITNESS};'`,
  ',format=raw',
  ',readonly=on',
  ',,id=x',
  'json:{}',
  'nbd:x',
  'id=y',
  '\u001b[2J',
  '\r',
  '-device',
  ' -daemonize',
  "'\\''",
  '\\\n',
];
const text = fc
  .array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 8 })
  .map((pieces) => pieces.join(''));
/** One component of a path. */
const segment = text
  .map((piece) => piece.replaceAll('/', '_'))
  .filter((piece) => piece !== '.' && piece !== '..');
const ifname = segment.filter((name) => !isProblem(parseIfName(name, 'here')));

const values = fc.record({
  name: text,
  files: fc.uniqueArray(segment, { minLength: 4, maxLength: 4 }),
  append: text,
  ifname,
  logDir: segment,
});

/** In order: a qcow2 disk, a raw disk, a CD-ROM, the VNC password. */
function specOf(given: { name: string; files: readonly string[]; append: string; ifname: string }): VmSpec {
  const [disk = '', raw = '', cdrom = '', password = ''] = given.files.map((file) => `/srv/vm/${file}`);
  const comma = (path: string): string => path.replaceAll(',', ',,');
  const options = {
    disk: [`${comma(disk)},format=qcow2`, `${comma(raw)},format=raw,bus=scsi`],
    cdrom: [cdrom],
    kernel: '/srv/vm-kernel/k,$(id) k',
    append: given.append,
    net: ['tap:tap0,script=no'],
    vnc: `9,password-file=${comma(password)}`,
  };
  const spec = parseVmSpec(readSources({ options, extra: ['-S'], cwd: '/srv/vm' }), { home: '/home/user' });
  const ifname = parseIfName(given.ifname, 'here');
  if (isProblem(ifname)) throw new TypeError(ifname.what);
  // No user can say such names: they are refused before.
  const nets = spec.nets.map((net) => (net.mode === 'tap' ? { ...net, ifname } : net));
  return { ...spec, nets, name: given.name };
}

function contextOf(dir: string): QemuContext {
  return {
    binary: 'qemu-system-x86_64',
    caps: {
      version: { major: 7, minor: 2, micro: 0 },
      netdevs: new Set(),
      devices: new Set(),
      machines: new Set(),
      displays: new Set(),
      features: new Set(),
    },
    accel: 'tcg',
    formats: {},
    nics: { net0: { mac: '52:54:00:00:00:01' as Mac } },
    paths: runPaths(dir, RUN_DIR),
    bridgeHelper: '/usr/lib/qemu/qemu-bridge-helper',
    vhostNet: false,
  };
}

describe.each(qemus)('QEMU $label', ({ binary }) => {
  test('reads back every name and path as it was', async () => {
    await fc.assert(
      fc.asyncProperty(values, async (given) => {
        const spec = specOf(given);
        const dir = join(RUN_DIR, given.logDir);
        const place = await world(`exec ${renderCommand(qemuCommand(spec, contextOf(dir)))}`, binary);
        makeFiles(place, spec, {}, dir);
        place.go();
        const qmp = await place.monitor(join(RUN_DIR, 'command.sock'));
        if (typeof qmp === 'string') throw new Error(qmp);
        expect(await ask(qmp, 'query-name')).toEqual({ name: given.name });
        const blocks = await ask<
          { device: string; inserted: { drv: string; ro: boolean; image: { filename: string } } }[]
        >(qmp, 'query-block');
        const seen = blocks.map(({ device, inserted }) => [
          device,
          inserted.image.filename,
          inserted.drv,
          inserted.ro,
        ]);
        const [disk0, disk1] = spec.disks.map((disk) => disk.file);
        expect(seen).toEqual([
          ['disk0', disk0, 'qcow2', false],
          ['disk1', disk1, 'raw', false],
          ['cdrom0', spec.cdroms[0], 'raw', true],
        ]);
        expect(await ask(qmp, 'qom-get', { path: '/machine', property: 'append' })).toBe(given.append);
        expect(await ask(qmp, 'qom-get', { path: '/machine', property: 'kernel' })).toBe(spec.kernel?.kernel);
        expect(await ask(qmp, 'qom-get', { path: '/objects/vnc0', property: 'file' })).toBe(
          join(dir, 'vnc.password'),
        );
        const network = await ask<string>(qmp, 'human-monitor-command', { 'command-line': 'info network' });
        expect(network).toContain(`type=tap,ifname=${given.ifname},script=no,downscript=no`);
        expect(existsSync(place.path(join(dir, 'serial.log')))).toBe(true);
        expect(existsSync(place.path(join(dir, 'qemu.pid')))).toBe(true);
        expect(existsSync(place.path(WITNESS))).toBe(false);
        await qmp.tryExecute('quit');
      }),
      { numRuns: 25 },
    );
  });
});
