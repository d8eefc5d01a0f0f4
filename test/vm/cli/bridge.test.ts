// needs: bridge, tap, veth
/** The line on the box: a user without rights, the real setuid helper, a real bridge. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, chownSync, copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { differences, snapshot } from '../../snapshot.ts';
import { userWorld, vmRow, type World, world } from '../../tiers/cli.ts';
import { consoleFile } from '../../tiers/console.ts';
import { guestCopy } from '../../tiers/guest.ts';
import { addressOf, HOST, lan, MTU, ports } from '../../tiers/lan.ts';
import { serveNonce } from '../../tiers/nonce.ts';
import { forEverybody, qemus } from '../../tiers/qemus.ts';

const NOBODY = 65_534;
const TCG = ['--accel', 'tcg', '-m', '256'];
const HELPER = '/usr/lib/qemu/qemu-bridge-helper';

/** As an administrator has it: a copy in the sandbox's own /run, setuid root, over the one that Debian ships. */
beforeAll(() => {
  copyFileSync(HELPER, '/run/helper');
  chmodSync('/run/helper', 0o4755);
  execFileSync('mount', ['--bind', '/run/helper', HELPER]);
});
beforeEach(() => {
  chmodSync('/run/helper', 0o4755);
  rmSync('/etc/qemu', { recursive: true, force: true });
});

function user(): { w: World; image: string } {
  const w = userWorld();
  const image = guestCopy(w.dir);
  chownSync(image, NOBODY, NOBODY);
  return { w, image };
}

describe.each(qemus)('QEMU $label', ({ binary }) => {
  test('a user’s guest gets its lease on the bridge and talks both ways', async () => {
    await lan();
    const root = world();
    expect(await root.qlaunch('acl', 'allow', 'br0')).toMatchObject({ status: 0 });
    const before = snapshot();
    const bridgeMac = addressOf('br0');
    const { w, image } = user();
    const served = await serveNonce(HOST);
    const fetchIt = `name=opt/qlaunch/fetch,string=http://${HOST}:${served.port}/`;
    const args = [image, '-n', 'box', '-d', '--qemu', forEverybody(binary), '--net', 'bridge:br0', ...TCG];
    expect(await w.qlaunch(...args, '--', '-fw_cfg', fetchIt)).toMatchObject({ status: 0, stderr: '' });
    const console = consoleFile(join((await vmRow(w, 'box')).dir, 'serial.log'));
    await console.waitFor('QLAUNCH-GUEST ready');
    expect(ports()).toContainEqual(
      expect.objectContaining({ ifname: 'tap0', master: 'br0', mtu: MTU, state: 'forwarding' }),
    );
    expect(addressOf('br0')).toBe(bridgeMac);
    expect(console.text()).toContain(`QLAUNCH-GUEST fetched ${served.nonce}\n`);
    const guest = /QLAUNCH-GUEST nic eth0 \S+ (10\.77\.0\.\d+)\/24/.exec(console.text())?.[1] ?? '';
    const back = randomUUID();
    expect(await (await fetch(`http://${guest}/cgi-bin/echo?${back}`)).text()).toContain(back);
    expect(execFileSync('ping', ['-c', '1', '-W', '5', guest], { encoding: 'utf8' })).toContain('1 received');
    expect(await w.qlaunch('stop', 'box')).toMatchObject({ status: 0 });
    expect(differences(before, snapshot())).toEqual([]);
  });
});

const WALLS: readonly [string, () => Promise<void> | void, RegExp, RegExp][] = [
  ['no list', () => undefined, /QL_BRIDGE_ACL_FILE/, /sudo \S*qlaunch acl allow br0/],
  [
    'no rule for the bridge',
    async () => void (await world().qlaunch('acl', 'allow', 'other')),
    /QL_BRIDGE_ACL_ALLOWS/,
    /sudo \S*qlaunch acl allow br0/,
  ],
  [
    'a helper without rights',
    async () => {
      await world().qlaunch('acl', 'allow', 'br0');
      chmodSync('/run/helper', 0o755);
    },
    /QL_BRIDGE_HELPER_PRIVILEGE/,
    /sudo \S*qlaunch acl init --helper kvm/,
  ],
];

test.each(WALLS)('%s is found before QEMU starts, with what to type', async (_what, build, code, cure) => {
  await lan();
  await build();
  const { w, image } = user();
  const run = await w.qlaunch(image, '-d', '--net', 'bridge:br0', ...TCG);
  expect(run).toMatchObject({ status: 3, stdout: '' });
  expect(run.stderr).toMatch(code);
  expect(run.stderr).toMatch(cure);
  expect((await w.qlaunch('ps', '--json')).stdout).toBe('[]');
});

test('a bridge that is not there is named, beside everything else that is wrong', async () => {
  const { w, image } = user();
  const run = await w.qlaunch(image, '-d', '--net', 'bridge:br7', '--serial', 'file:/nowhere/x', ...TCG);
  expect(run.status).toBe(3);
  expect(run.stderr).toContain('there is no bridge br7');
  expect(run.stderr).toContain('/nowhere');
});

test('--fix does what is missing, the guest starts, and undo takes it back', async () => {
  await lan();
  mkdirSync('/etc/qemu');
  const before = snapshot({ files: ['/etc/qemu'] });
  const w = world();
  const image = guestCopy(w.dir);
  execFileSync('chmod', ['a+rX', w.dir]);
  chownSync(image, NOBODY, NOBODY);
  const args = [image, '-n', 'fix', '-d', '--run-as', 'nobody', '--net', 'bridge:br0', ...TCG];
  expect(await w.qlaunch(...args)).toMatchObject({ status: 3 });
  const fixed = await w.qlaunch(...args, '--fix');
  expect(fixed).toMatchObject({ status: 0 });
  expect(ports()).toContainEqual(expect.objectContaining({ ifname: 'tap0', master: 'br0' }));
  expect(await w.qlaunch('kill', 'fix')).toMatchObject({ status: 0 });
  const id = /sudo \S*qlaunch undo (\S+)/.exec(fixed.stderr)?.[1] ?? '';
  expect(await w.qlaunch('undo', id)).toMatchObject({ status: 0 });
  expect(differences(before, snapshot({ files: ['/etc/qemu'] }))).toEqual([]);
});
