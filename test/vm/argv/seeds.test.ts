/**
 * "Does the same": every QEMU line of the translation table and its qlaunch line are started, and QMP shows the same
 * devices, disks, backends, screens, memory and processors, but for the differences that the table names.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { QmpClient } from '../../../src/run/qmp/client.ts';
import { type GoldenCase, goldenCases, PLACES } from '../../golden/qemu/cases.ts';
import { seedRows } from '../../golden/qemu/seeds.ts';
import { qemus } from '../../tiers/qemus.ts';
import { makeFiles } from './files.ts';
import { ask } from './qmp-facts.ts';
import { world } from './world.ts';

/** Not lines of QEMU's, or in need of a device that is not here; golden.test.ts has their qlaunch side. */
const rows = seedRows().filter(({ seed }) => /^qemu/.test(seed) && !seed.includes('vfio-pci'));
const goldens = new Map(goldenCases().map((golden) => [golden.args, golden]));

/** In every line on the left, and not on the right: the defaults of -nodefaults. */
const LEFT_ONLY = /^(floppy|isa-parallel)$/;
const RIGHT_ONLY = /^virtio-rng-(pci|device)$/;

describe.each(qemus)('QEMU $label', ({ binary }) => {
  test.each(rows)('$args', async ({ seed, args }) => {
    const golden = goldens.get(args);
    if (!golden) throw new Error('no golden');
    const left = await seen(golden, runnable(seed), '/run/seed.sock', binary);
    const right = await seen(
      golden,
      runnable(golden.expected ?? ''),
      join(PLACES.run, golden.spec.name, 'command.sock'),
      binary,
    );
    // Without -nodefaults a CD-ROM drive is there in any case; with no image in it nobody asked for it.
    const cdrom = (device: string): boolean => device === 'ide-cd' && golden.spec.cdroms.length === 0;
    expect(left.devices.filter((device) => !LEFT_ONLY.test(device) && !cdrom(device))).toEqual(
      right.devices.filter((device) => !RIGHT_ONLY.test(device)),
    );
    expect(left.files).toEqual(right.files);
    expect(left.backends).toEqual(right.backends);
    expect(left.nics).toEqual(right.nics);
    expect(left.bridges).toEqual(right.bridges);
    // `:7` is every address to QEMU, 0.0.0.0 those of IPv4.
    expect(left.screens.filter((screen) => !screen.startsWith('::'))).toEqual(right.screens);
    if (seed.includes(' -m ')) expect(left.memory).toEqual(right.memory);
    expect([left.machine, left.cpus]).toEqual([right.machine, right.cpus]);
  });
});

/** What can be run here: no KVM, no vhost, in the foreground, and with a monitor of ours on the left side. */
function runnable(line: string): string {
  return line
    .trimEnd()
    .replace(/^(qemu|qemu-kvm) /, 'qemu-system-x86_64 ')
    .replace(/--enable-kvm|-accel kvm/, '-accel tcg')
    .replace('-cpu host', '-cpu max')
    .replace(' -daemonize', '')
    .replaceAll(',vhost=on', '');
}

interface Seen {
  readonly devices: readonly string[];
  readonly files: readonly unknown[];
  readonly backends: readonly string[];
  readonly nics: readonly string[];
  readonly bridges: readonly string[];
  readonly screens: readonly string[];
  readonly memory: unknown;
  readonly machine: unknown;
  readonly cpus: number;
}

async function seen(golden: GoldenCase, line: string, socket: string, binary: string): Promise<Seen> {
  const monitor = socket.endsWith('seed.sock') ? ` -display none -qmp unix:${socket},server=on,wait=off` : '';
  const place = await world(`cd ${PLACES.cwd}\nexec ${line}${monitor} -S`, binary);
  mkdirSync(place.path('/run'), { recursive: true });
  makeFiles(place, golden.spec, golden.formats, join(PLACES.run, golden.spec.name));
  place.go();
  const qmp = await place.monitor(socket);
  if (typeof qmp === 'string') throw new Error(`QEMU did not start: ${qmp}`);
  const result = { ...(await facts(qmp, golden)), bridges: place.bridges() };
  await qmp.tryExecute('quit');
  return result;
}

async function facts(qmp: QmpClient, { spec }: GoldenCase): Promise<Omit<Seen, 'bridges'>> {
  const monitor = (line: string): Promise<string> =>
    ask<string>(qmp, 'human-monitor-command', { 'command-line': line });
  const blocks = await ask<{ inserted?: { drv: string; ro: boolean; image: { filename: string } } }[]>(
    qmp,
    'query-block',
  );
  const files = blocks.flatMap(({ inserted }) => (inserted ? [inserted] : []));
  const network = await monitor('info network');
  const given = spec.nets.some((net) => net.mac !== undefined);
  const [vnc, cpus, memory, machine] = await Promise.all([
    ask<{ server: { host: string; service: string }[] }[]>(qmp, 'query-vnc-servers'),
    ask<unknown[]>(qmp, 'query-cpus-fast'),
    ask(qmp, 'query-memory-size-summary'),
    ask(qmp, 'qom-get', { path: '/machine', property: 'type' }),
  ]);
  return {
    devices: [...(await monitor('info qtree')).matchAll(/dev: ([^,]+),/g)]
      .map(([, device = '']) => device)
      .sort(),
    files: files.map(({ drv, ro, image }) => [drv, ro, image.filename.replace(`${PLACES.cwd}/`, '')]),
    // The name of the backend differs when none was given; ifname, bridge, helper and scripts do not.
    backends: [...network.matchAll(/index=0,type=(?!nic)(.*)/g)].map(([, text = '']) => backendText(text)),
    nics: [...network.matchAll(/type=nic,model=([^,]+),macaddr=(\S+)/g)].map(
      ([, model, mac]) => `${model} ${given ? mac : ''}`,
    ),
    screens: vnc.flatMap(({ server }) => server.map(({ host, service }) => `${host}:${service}`)),
    memory,
    machine,
    cpus: cpus.length,
  };
}

/** `bridge` is `tap` with a helper, and they are shown differently; which bridge it is, the bridge says. */
function backendText(text: string): string {
  return /helper=|br=/.test(text) ? 'through the helper' : text.trim();
}
