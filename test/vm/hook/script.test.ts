// needs: bridge, tap, veth
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { differences, snapshot } from '../../snapshot.ts';
import { vmRow, type World, world } from '../../tiers/cli.ts';
import { consoleFile } from '../../tiers/console.ts';
import { guestCopy } from '../../tiers/guest.ts';
import { HOST, lan, ports } from '../../tiers/lan.ts';
import { serveNonce } from '../../tiers/nonce.ts';
import { qemus } from '../../tiers/qemus.ts';

function rules(w: World, text: string): void {
  mkdirSync(join(w.dir, 'config'), { recursive: true });
  writeFileSync(join(w.dir, 'config/ifup.ini'), text);
}

const line = (w: World, binary: string, net: string): readonly string[] => [
  guestCopy(w.dir),
  ...['-d', '-n', 'st', '--accel', 'tcg', '--qemu', binary, '--net', net],
];

test.each(qemus)('script=yes plugs a guest in by qemu-ifup (QEMU $label)', async ({ binary }) => {
  await lan();
  const before = snapshot();
  const w = world();
  rules(w, '[tap*]\nbridge = br0\n');
  const served = await serveNonce(HOST);
  const fetchIt = ['--', '-fw_cfg', `name=opt/qlaunch/fetch,string=http://${HOST}:${served.port}/`];
  const started = await w.qlaunch(...line(w, binary, 'tap:tap1,script=yes'), ...fetchIt);
  expect(started).toMatchObject({ status: 0, stderr: '' });
  expect(ports()).toContainEqual(expect.objectContaining({ ifname: 'tap1', master: 'br0' }));
  const { dir, pid } = await vmRow(w, 'st');
  expect(JSON.parse((await w.qlaunch('changes', '--json')).stdout)).toMatchObject([{ holder: pid }]);
  const console = consoleFile(join(dir, 'serial.log'));
  await console.waitFor('QLAUNCH-GUEST ready');
  expect(console.text()).toContain(`QLAUNCH-GUEST fetched ${served.nonce}\n`);
  expect(await w.qlaunch('stop', 'st')).toMatchObject({ status: 0 });
  expect(readdirSync(join(w.dir, 'run/journal'))).toEqual([]);
  expect(differences(before, snapshot())).toEqual([]);
});

test.each(qemus)(
  'when qemu-ifup refuses, its reason is what the user reads (QEMU $label)',
  async ({ binary }) => {
    const w = world();
    rules(w, '[tap*]\nbridge = br9\n');
    const { status, stderr } = await w.qlaunch(...line(w, binary, 'tap:tap1,script=yes'));
    expect(status).toBe(4);
    expect(stderr).toContain('there is no bridge br9');
  },
);

test('a script that QEMU could not execute is refused before it starts', async () => {
  const w = world();
  const script = join(w.dir, 'ifup');
  writeFileSync(script, 'ip link set $1 up\n', { mode: 0o755 });
  const { status, stderr } = await w.qlaunch(...line(w, qemus[0]?.binary ?? '', `tap:tap1,script=${script}`));
  expect(status).toBe(3);
  expect(stderr).toContain(`${script} does not begin with #!`);
});

test('what it tells to type makes the rule, and the next start has its bridge', async () => {
  await lan();
  const w = world();
  const args = line(w, qemus[0]?.binary ?? '', 'tap:tap1,script=yes');
  const refused = await w.qlaunch(...args);
  expect(refused).toMatchObject({ status: 4 });
  expect(refused.stderr).not.toMatch(/because: +(because|try|qlaunch):/);
  expect(refused.stderr).not.toContain('qemu-ifup tap');
  const [, cure = 'false'] = /try: {5}(.*tee -a .*)/.exec(refused.stderr) ?? [];
  execFileSync('sh', ['-ec', cure.replaceAll('sudo ', '')]);
  expect(await w.qlaunch(...args)).toMatchObject({ status: 0 });
  expect(await w.qlaunch('kill', 'st')).toMatchObject({ status: 0 });
});

test('a script that hangs holds no tap once its VM is killed', async () => {
  const w = world();
  const script = join(w.dir, 'hang');
  const mark = join(w.dir, 'called');
  writeFileSync(script, `#!/bin/sh\ntouch ${mark}\nsleep 1000\ntrue\n`, { mode: 0o755 });
  const starting = w.qlaunch(...line(w, qemus[0]?.binary ?? '', `tap:tap1,script=${script}`));
  await expect.poll(() => existsSync(mark), { timeout: 60_000 }).toBe(true);
  expect(await w.qlaunch('kill', 'st')).toMatchObject({ stderr: 'st: killed by signal 9' });
  expect(await starting).toMatchObject({ status: 4 });
  expect(existsSync('/sys/class/net/tap1')).toBe(false);
});
