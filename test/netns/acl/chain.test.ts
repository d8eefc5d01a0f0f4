// needs: bridge, tap
/** Each way in which the helper can refuse, made for real: what we say before, and what it says then. */
import { beforeEach, expect, test } from 'vitest';
import { helperChain } from '../../../src/host/acl/chain.ts';
import { confirmAclPath, inspectHelper } from '../../../src/host/acl/helper.ts';
import { linuxMachine } from '../../../src/host/linux.ts';
import { identity } from '../../../src/host/vm/user.ts';
import type { Finding } from '../../../src/plan/doctor/finding.ts';
import { fixChain, planInit } from '../../../src/run/acl/init.ts';
import { aclTarget } from '../../../src/run/acl/target.ts';
import { checkBridges } from '../../../src/run/vm/bridge.ts';
import { programs } from '../../tiers/cli.ts';
import { ACL, askHelper, furnish, HELPER, sh } from './place.ts';

const host = linuxMachine();
const chain = (user = 'alice', bridge = 'br0'): Promise<readonly Finding[]> =>
  helperChain(host, { user: identity({}, user), bridge, group: 'pluggers' });
const troubles = async (user = 'alice', bridge = 'br0'): Promise<readonly string[]> =>
  (await chain(user, bridge)).filter(({ state }) => state === 'problem').map(({ id }) => id);

beforeEach(furnish);

test('nothing is in the way, and the helper hands out a tap', async () => {
  expect(await chain()).toEqual([
    { id: 'helper-found', state: 'ok', fact: `QEMU’s bridge helper is ${HELPER}` },
    { id: 'helper-runs', state: 'ok', fact: 'alice may run it' },
    { id: 'helper-privilege', state: 'ok', fact: 'it is setuid root (root:pluggers 4750)' },
    { id: 'helper-mount', state: 'ok', fact: 'set-id bits count on /usr/lib/qemu' },
    { id: 'no-new-privs', state: 'ok', fact: 'set-id programs keep their rights here' },
    { id: 'acl-file', state: 'ok', fact: `${ACL} is there and alice may read it` },
    { id: 'acl-parses', state: 'ok', fact: `${ACL} has no errors` },
    { id: 'acl-allows', state: 'ok', fact: `${ACL}:1 allows br0 ("allow br0")` },
    { id: 'tun-device', state: 'ok', fact: '/dev/net/tun may be used' },
    { id: 'bridge', state: 'ok', fact: 'br0 is a bridge and is up' },
  ]);
  expect(askHelper('alice', 'br0')).toBe('');
});

const NOT_PARSED = "failed to parse default acl file `/etc/qemu/bridge.conf'\n";
/** Pastes what a finding says to type. Root needs no sudo; an editor and a login are for people. */
function paste(findings: readonly Finding[], program: string): void {
  const lines = findings.filter(({ state }) => state === 'problem').flatMap(({ cure = [] }) => cure);
  for (const line of lines) {
    sh(
      line
        .replaceAll('sudo ', '')
        .replace(/^or: /, '')
        .replace(/^qlaunch /, `QLAUNCH_STATE_DIR=/run/s QLAUNCH_RUNTIME_DIR=/run/r ${program} `),
    );
  }
}
const program = programs[0]?.path ?? '';

test.each<[string, string, string, string]>([
  ['the list is missing', `rm ${ACL}`, 'acl-file', NOT_PARSED],
  ['its directory is missing', 'rm -r /etc/qemu', 'acl-file', NOT_PARSED],
  ['the list may not be read', `chmod 600 ${ACL}`, 'acl-file', NOT_PARSED],
  ['nor its directory', 'chmod 700 /etc/qemu', 'acl-file', NOT_PARSED],
  [
    'a line nobody knows',
    `echo 'permit br0' >> ${ACL}`,
    'acl-parses',
    `Unknown command \`permit'\n${NOT_PARSED}`,
  ],
  ['no rule', `echo 'allow br1' > ${ACL}`, 'acl-allows', 'access denied by acl file\n'],
  ['a deny', `echo 'deny all' >> ${ACL}`, 'acl-allows', 'access denied by acl file\n'],
  ['a directory for a list', `rm ${ACL}; mkdir ${ACL}`, 'acl-allows', 'access denied by acl file\n'],
  [
    'not setuid',
    `chmod 755 ${HELPER}`,
    'helper-privilege',
    'failed to create tun device: Operation not permitted\n',
  ],
  [
    'a nosuid mount',
    'mount -o remount,nosuid /usr/lib/qemu',
    'helper-mount',
    'failed to create tun device: Operation not permitted\n',
  ],
  [
    'a tun device for root only',
    'chmod 600 /dev/net/tun',
    'tun-device',
    'failed to open /dev/net/tun: Permission denied\n',
  ],
  [
    'no tun device',
    'rm /dev/net/tun',
    'tun-device',
    'failed to open /dev/net/tun: No such file or directory\n',
  ],
  ['no bridge', 'ip link del br0', 'bridge', "failed to get mtu of bridge `br0': No such device\n"],
  [
    'something else of that name',
    'ip link del br0; ip link add br0 type veth peer name v1',
    'bridge',
    "failed to add interface `tap0' to bridge `br0': Operation not supported\n",
  ],
])('%s', async (_, spoil, id, says) => {
  sh(spoil);
  expect(await troubles()).toEqual([id]);
  expect(askHelper('alice', 'br0')).toBe(says);
  const findings = await chain();
  if (spoil.includes('veth')) return void sh('ip link del br0');
  // Made by the driver when it is loaded; this node was ours.
  if (id === 'tun-device' && spoil.startsWith('rm')) return;
  if (id === 'acl-parses')
    return void expect(findings.find((one) => one.id === id)?.cure).toEqual([`sudoedit ${ACL}    # line 2`]);
  if (spoil.includes('mkdir')) return;
  paste(findings, program);
  expect(await troubles()).toEqual([]);
  expect(askHelper('alice', 'br0')).toBe('');
});

test('a helper that is not root’s gets no rights, whoever asks', async () => {
  sh(`chown bob ${HELPER}; chmod 4755 ${HELPER}`);
  expect(askHelper('alice', 'br0')).toBe('failed to create tun device: Operation not permitted\n');
  const [finding, ...others] = (await chain()).filter(({ state }) => state === 'problem');
  expect(others).toEqual([]);
  expect(finding).toMatchObject({
    id: 'helper-privilege',
    cure: [`have root put the package’s own ${HELPER} back, in a directory that only root may write`],
  });
  expect(finding).not.toHaveProperty('fix');
  const target = await aclTarget(host);
  const refused = { code: 'QL_BRIDGE_HELPER_UNSAFE', exit: 3 };
  await expect(planInit(host, target, 'pluggers')).rejects.toMatchObject(refused);
  sh(`chown root ${HELPER}; chmod 777 /usr/lib/qemu`);
  await expect(planInit(host, target, 'pluggers')).rejects.toMatchObject(refused);
  sh('chmod 755 /usr/lib/qemu');
});

test.each([
  ['a user’s program', '/run/his/helper', 'install -o alice -m 755 /run/original-helper /run/his/helper'],
  ['one of the system’s', '/usr/bin/env', 'true'],
  ['one that is not for others', '/run/his/key', 'install -m 600 /dev/null /run/his/key'],
])('%s under helper= is made setuid by nobody', async (_, helper, make) => {
  sh(`mkdir -p /run/his; chown alice /run/his; ${make}; rm -f ${ACL}`);
  const wish = { user: identity({}, 'alice'), bridge: 'br0', helper, group: 'pluggers' };
  const found = (await helperChain(host, wish)).filter(({ id }) => id.startsWith('helper'));
  expect(found.filter(({ state }) => state === 'problem').map(({ id }) => id)).toContain('helper-privilege');
  for (const { state, cure, fix } of found) {
    expect(fix).toBeUndefined();
    if (state !== 'ok')
      expect(cure).toEqual([`leave helper= out, or take the one that is installed: helper=${HELPER}`]);
  }
  const touched = JSON.stringify(await fixChain(host, wish)());
  expect(touched).not.toContain(helper);
  expect(touched).not.toMatch(/ch(own|mod)/);
});

test('nor does his program say which file is written', async () => {
  sh(`mkdir -p /run/his; sed 's,/etc/qemu/bridge.conf,/etc/sudo/bridge.conf,' /run/original-helper > /run/his/helper
    chown -R alice /run/his; chmod 755 /run/his/helper`);
  const wish = { user: identity({}, 'alice'), bridge: 'br0', helper: '/run/his/helper' };
  const list = (await helperChain(host, wish)).find(({ id }) => id === 'acl-file');
  expect(list).toMatchObject({ state: 'problem', fact: expect.stringContaining('/etc/sudo/bridge.conf') });
  expect(list).not.toHaveProperty('cure');
  expect(await fixChain(host, wish)()).toEqual([]);
});

test('what is to type is not for another helper than the one that is cured', async () => {
  sh(`chmod 755 ${HELPER}; install -m 755 /run/original-helper /run/opt-helper`);
  const typed = async (helper?: string): Promise<string> => {
    const wish = { user: identity({}, 'alice'), bridge: 'br0', ...(helper === undefined ? {} : { helper }) };
    return JSON.stringify((await checkBridges(host, [wish])).findings);
  };
  sh(`rm ${ACL}`);
  expect(await typed()).toContain('sudo qlaunch acl doctor br0 --fix');
  expect(await typed('/run/opt-helper')).not.toContain('acl doctor');
  sh('rm /run/opt-helper');
});

test('what is to type is quoted, whatever the bridge is called', async () => {
  const name = 'b;reboot';
  const cures = (await chain('alice', name)).flatMap(({ cure = [] }) => cure);
  expect(cures).toContain("sudo qlaunch bridge create 'b;reboot'");
  sh(`ip link add '${name}' type bridge`);
  const down = (await chain('alice', name)).find(({ id }) => id === 'bridge');
  expect(down?.cure).toEqual(["sudo ip link set 'b;reboot' up"]);
  const { findings } = await checkBridges(host, [{ user: identity({}, 'alice'), bridge: name }]);
  const typed = findings.flatMap(({ todo = [] }) => todo);
  expect(typed).toEqual(["sudo qlaunch acl allow 'b;reboot'", "sudo qlaunch acl doctor 'b;reboot' --fix"]);
  sh(`ip link del '${name}'`);
});

test('a helper for another group can not be run', async () => {
  expect(await troubles('bob')).toEqual(['helper-runs']);
  const finding = (await chain('bob')).find(({ id }) => id === 'helper-runs');
  expect(finding).toMatchObject({
    fact: `bob may not run ${HELPER}, which is root:pluggers 4750`,
    cure: ['sudo usermod -aG pluggers bob    # then log in again'],
  });
  expect(askHelper('bob', 'br0')).toMatch(/Permission denied/);
  paste(await chain('bob'), program);
  expect(await troubles('bob')).toEqual([]);
  expect(askHelper('bob', 'br0')).toBe('');
});

test('a file capability is as good as setuid', async () => {
  sh(`chmod 755 ${HELPER}; setcap cap_net_admin+ep ${HELPER}`);
  expect(await troubles()).toEqual([]);
  expect(askHelper('alice', 'br0')).toBe('');
});

test('a list for one group is read with the rights of whoever calls the helper', async () => {
  sh(`chown root:pluggers ${ACL}; chmod 640 ${ACL}; chmod 4755 ${HELPER}`);
  expect(await troubles('alice')).toEqual([]);
  expect(askHelper('alice', 'br0')).toBe('');
  expect(await troubles('bob')).toEqual(['acl-file']);
  expect(askHelper('bob', 'br0')).toBe(NOT_PARSED);
});

test('whoever may write the list decides: that is a warning', async () => {
  sh(`chmod 666 ${ACL}`);
  expect(await troubles()).toEqual([]);
  expect((await chain()).find(({ id }) => id === 'acl-file')).toMatchObject({
    state: 'warning',
    fact: `${ACL}: everybody may write it, and so may allow every bridge`,
  });
  sh(`chmod 644 ${ACL}; chown alice /etc/qemu`);
  expect((await chain()).find(({ id }) => id === 'acl-file')).toMatchObject({
    state: 'warning',
    fact: '/etc/qemu: it belongs to uid 4711, and so may allow every bridge',
  });
});

test('the helper itself is asked which list it reads', async () => {
  const helper = inspectHelper(HELPER);
  if (helper === undefined) throw new Error('no helper');
  expect(helper.acl).toBe(ACL);
  expect(await confirmAclPath(host, helper)).toBe(ACL);
  sh('mkdir -p /usr/lib/qemu/qemu-bundle/etc/qemu');
  const moved = inspectHelper(HELPER);
  if (moved === undefined) throw new Error('no helper');
  expect(moved.acl).toBe('/usr/lib/qemu/qemu-bundle/etc/qemu/bridge.conf');
  expect(await confirmAclPath(host, moved)).toBe(moved.acl);
  sh('rm -r /usr/lib/qemu/qemu-bundle');
  sh('chmod 777 /usr/lib/qemu');
  expect(await confirmAclPath(host, helper)).toBeUndefined();
  sh('chmod 755 /usr/lib/qemu');
});
