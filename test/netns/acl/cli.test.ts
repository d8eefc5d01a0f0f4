// needs: bridge, tap
/** `qlaunch acl` as people and scripts use it, against QEMU's own helper. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { untrusted } from '../../../src/host/acl/trust.ts';
import { differences, type Snapshot, snapshot } from '../../snapshot.ts';
import { programs, type World, world } from '../../tiers/cli.ts';
import { ACL, ALICE, askHelper, furnish, HELPER, PLUGGERS, sh } from './place.ts';

let here: World;
beforeEach(() => {
  furnish();
  here = world();
});
const acl = (...args: readonly string[]): ReturnType<World['qlaunch']> => here.qlaunch('acl', ...args);
function python(script: string): string {
  const { status, stdout, stderr } = spawnSync('python3', ['-c', script], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

const ATTRIBUTES = `import os; print({n: os.getxattr("${ACL}", n) for n in sorted(os.listxattr("${ACL}"))})`;

/** Of what we change; the tap that the helper made and closed leaves its traces on br0 itself. */
const changed = (before: Snapshot, state: { files: string[] }): readonly string[] =>
  differences(before, snapshot(state)).filter((line) => !/\bbr0\b/.test(line));
const text = (): string => readFileSync(ACL, 'utf8');

test('check tells by its status: allowed, denied, not to be parsed', async () => {
  expect(await acl('check', 'br0')).toEqual({
    status: 0,
    stdout: `br0 is allowed for root: ${ACL}:1: allow br0`,
    stderr: '',
  });
  expect(await acl('check', 'br1')).toMatchObject({
    status: 3,
    stdout: `br1 is denied for root: no rule in ${ACL} allows it`,
  });
  writeFileSync(ACL, 'allow br0\npermit br1\n');
  const failed = await acl('check', 'br0');
  expect(failed).toMatchObject({ status: 2, stdout: '' });
  expect(failed.stderr).toContain(`${ACL}:2: the helper gives up the whole file here [QL_ACL_BROKEN]`);
  expect(failed.stderr).toContain("the helper says: Unknown command `permit'");
  rmSync(ACL);
  expect((await acl('check', 'br0')).status).toBe(2);
  expect((await acl('list')).status).toBe(2);
});

test('a per-user include counts for whom it is readable, as in the helper', async () => {
  writeFileSync('/etc/qemu/alice.conf', 'allow br1\n', { mode: 0o640 });
  chownSync('/etc/qemu/alice.conf', 0, PLUGGERS);
  chmodSync(HELPER, 0o4755);
  sh('ip link add br1 type bridge');
  onTestFinished(() => void sh('ip link del br1'));
  expect(await acl('include', '/etc/qemu/alice.conf')).toMatchObject({ status: 0, stderr: '' });
  expect(text()).toBe('allow br0\ninclude /etc/qemu/alice.conf\n');
  expect(await acl('check', 'br1', '--user', 'alice')).toMatchObject({
    status: 0,
    stdout: 'br1 is allowed for alice: /etc/qemu/alice.conf:1: allow br1',
  });
  expect(askHelper('alice', 'br1')).toBe('');
  expect(await acl('check', 'br1', '--user', 'bob')).toMatchObject({
    status: 3,
    stdout: `br1 is denied for bob: no rule in ${ACL} allows it; /etc/qemu/alice.conf was not read: it may not be read`,
  });
  expect(askHelper('bob', 'br1')).toBe('access denied by acl file\n');
  const { stdout } = await acl('list', '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    file: ACL,
    from: 'confirmed',
    rules: [
      { verb: 'allow', bridge: 'br0', file: ACL, line: 1 },
      { verb: 'allow', bridge: 'br1', file: '/etc/qemu/alice.conf', line: 1 },
    ],
    includes: [{ path: '/etc/qemu/alice.conf', state: 'read', file: ACL, line: 2 }],
    failure: null,
  });
});

test('what an edit does not touch stays byte for byte, with owner, mode, attributes and access list', async () => {
  const odd = Buffer.concat([
    Buffer.from('# gr'),
    Buffer.from([0xfc, 0xdf]),
    Buffer.from('e\r\n\r\n  allow\tbr0\t\n# end'),
  ]);
  writeFileSync(ACL, odd);
  chownSync(ACL, 0, PLUGGERS);
  chmodSync(ACL, 0o640);
  const attributes = `import os
list = b"\\x02\\0\\0\\0\\1\\0\\6\\0\\xff\\xff\\xff\\xff\\2\\0\\4\\0\\x67\\x12\\0\\0\\4\\0\\4\\0\\xff\\xff\\xff\\xff\\x10\\0\\4\\0\\xff\\xff\\xff\\xff\\x20\\0\\0\\0\\xff\\xff\\xff\\xff"
os.setxattr("${ACL}", "user.note", b"kept")
os.setxattr("${ACL}", "system.posix_acl_access", list)`;
  python(attributes);
  const before = python(ATTRIBUTES);
  expect(before).toMatch(/posix_acl_access.*user\.note/);
  const same = statSync(ACL);
  const dry = await acl('allow', 'br1', '--dry-run');
  expect(dry.stdout.split('\n')).toEqual([
    `--- ${ACL}`,
    `+++ ${ACL}`,
    '@@ -1,4 +1,5 @@',
    ' # gr\uFFFD\uFFFDe\r',
    ' \r',
    '   allow\tbr0\t',
    '-# end',
    '\\ No newline at end of file',
    '+# end',
    '+allow br1',
  ]);
  expect(readFileSync(ACL).equals(odd)).toBe(true);
  expect((await acl('allow', 'br1')).stdout).toBe(dry.stdout);
  expect(readFileSync(ACL).equals(Buffer.concat([odd, Buffer.from('\nallow br1\n')]))).toBe(true);
  expect(python(ATTRIBUTES)).toBe(before);
  const { mode, uid, gid, ino } = statSync(ACL);
  expect({ mode, uid, gid }).toEqual({ mode: same.mode, uid: same.uid, gid: same.gid });
  // By rename: a reader sees the old file or the new one.
  expect(ino).not.toBe(same.ino);
  expect((await acl('remove', 'br1')).status).toBe(0);
  expect(readFileSync(ACL).equals(Buffer.concat([odd, Buffer.from('\n')]))).toBe(true);
  // Nothing is left of it, and there is nothing to undo.
  expect(sh('ls -A /etc/qemu')).toBe('bridge.conf\n');
  expect(await here.qlaunch('changes')).toMatchObject({
    stdout: '',
    stderr: 'nothing on this host is changed by qlaunch',
  });
});

test('rules that do not do what they seem to are told at once', async () => {
  sh('ip link property add dev br0 altname uplink');
  onTestFinished(() => void sh('ip link property del dev br0 altname uplink'));
  expect((await acl('deny', 'uplink')).stderr).toBe(
    `qlaunch: uplink is another name of br0\nqlaunch: ${ACL}:1: "allow br0" has no effect: "deny br0" (${ACL}:2) wins whatever the order`,
  );
  expect((await acl('allow', 'all')).stderr).toContain('can be got around by an alternative name');
  expect(await acl('allow', 'br0')).toMatchObject({
    status: 3,
    stderr: `qlaunch: ${ACL} says so already\nqlaunch: br0 is still denied, by ${ACL}:2`,
  });
  expect((await acl('remove', 'br0')).status).toBe(0);
  expect(text()).toBe('allow all\n');
  expect((await acl('deny', 'all')).stderr).toContain('"allow all" has no effect');
});

test.each(['a:b', 'a/b', 'a b', '', 'abcdefghijklmnop', '..'])('%j is no name for a bridge', async (name) => {
  for (const command of ['allow', 'deny', 'check', 'doctor']) {
    const { status, stderr } = await acl(command, name);
    expect([command, status, stderr]).toEqual([command, 2, expect.stringContaining('[QL_USAGE]')]);
  }
  expect(text()).toBe('allow br0\n');
});

test('a hundred edits at once: none is lost', async () => {
  const names = Array.from({ length: 100 }, (_, n) => `vmbr${n}`);
  const all = await Promise.all(names.map((name) => acl('allow', name)));
  expect(all.filter(({ status }) => status !== 0)).toEqual([]);
  const lines = text().trimEnd().split('\n');
  expect(lines).toHaveLength(101);
  expect([...lines].sort()).toEqual(['allow br0', ...names.map((name) => `allow ${name}`)].sort());
}, 120_000);

test('a file that another user could swap is not written', async () => {
  const his = mkdtempSync('/tmp/qlaunch-his-');
  onTestFinished(() => rmSync(his, { recursive: true }));
  writeFileSync('/etc/qemu/real.conf', 'allow br0\n');
  symlinkSync('/etc/qemu/real.conf', join(his, 'bridge.conf'));
  chownSync(his, ALICE, ALICE);
  const file = join(his, 'bridge.conf');
  expect(untrusted(file)).toEqual({ culprit: his, why: `it belongs to uid ${ALICE}` });
  for (const words of [['allow', 'br9'], ['init'], ['include', '/x']]) {
    const { status, stderr } = await acl(...words, '--file', file);
    expect([status, stderr]).toEqual([3, expect.stringContaining('[QL_ACL_UNSAFE]')]);
  }
  expect(readFileSync('/etc/qemu/real.conf', 'utf8')).toBe('allow br0\n');
  // One of root's own is followed: the file behind it is edited, the link stays.
  symlinkSync('real.conf', '/etc/qemu/link.conf');
  expect((await acl('allow', 'br9', '--file', '/etc/qemu/link.conf')).status).toBe(0);
  expect(readFileSync('/etc/qemu/real.conf', 'utf8')).toBe('allow br0\nallow br9\n');
  expect(readlinkSync('/etc/qemu/link.conf')).toBe('real.conf');
  // In a directory that all may write, an entry of another user is his.
  const shared = mkdtempSync('/tmp/qlaunch-shared-');
  onTestFinished(() => rmSync(shared, { recursive: true }));
  chmodSync(shared, 0o1777);
  writeFileSync(join(shared, 'a.conf'), '');
  chownSync(join(shared, 'a.conf'), ALICE, ALICE);
  expect((await acl('allow', 'br9', '--file', join(shared, 'a.conf'))).status).toBe(3);
});

test('init --helper: alice gets a tap, and undo takes everything back to the last bit', async () => {
  sh(`rm -r /etc/qemu; chown root:root ${HELPER}; chmod 755 ${HELPER}`);
  expect(askHelper('alice', 'br0')).toBe("failed to parse default acl file `/etc/qemu/bridge.conf'\n");
  const state = { files: ['/etc', '/usr/lib/qemu'] };
  const overrides = (): string => readFileSync('/var/lib/dpkg/statoverride', 'utf8');
  const before = snapshot(state);
  const wish = ['init', '--helper', 'pluggers'];
  const dry = await acl(...wish, '--dry-run');
  expect(dry.status).toBe(0);
  expect(dry.stdout).toContain(`+allow br0\n`);
  expect(dry.stdout).toContain(`dpkg-statoverride --add root pluggers 4750 ${HELPER}`);
  expect(dry.stderr).toContain('every member of group pluggers may plug a guest into each bridge');
  expect(changed(before, state)).toEqual([]);

  const made = await acl(...wish);
  expect(made.status).toBe(0);
  expect(sh(`stat -c '%U:%G %a' ${HELPER} ${ACL} /etc/qemu`)).toBe(
    'root:pluggers 4750\nroot:pluggers 640\nroot:root 755\n',
  );
  expect(sh(`dpkg-statoverride --list ${HELPER}`)).toBe(`root pluggers 4750 ${HELPER}\n`);
  expect(askHelper('alice', 'br0')).toBe('');
  expect(await acl('doctor', '--user', 'alice')).toMatchObject({ status: 0 });
  expect((await acl(...wish)).stderr).toContain('all is as wanted already');

  const id = /sudo \S*qlaunch undo (\w+)/.exec(made.stderr)?.[1] ?? '';
  expect((await here.qlaunch('undo', id)).status).toBe(0);
  expect(overrides()).toBe('');
  expect(changed(before, state)).toEqual([]);
});

test('doctor --fix does what can be done, and says what is left', async () => {
  sh(`chmod 755 ${HELPER}; chmod 600 /dev/net/tun; ip link set br0 down; echo 'allow br1' > ${ACL}`);
  python(`import os; os.setxattr("${ACL}", "user.note", b"kept")`);
  const attributes = python(ATTRIBUTES);
  const state = { files: ['/etc', '/usr/lib/qemu'] };
  const overrides = (): string => readFileSync('/var/lib/dpkg/statoverride', 'utf8');
  const before = snapshot(state);
  const found = await acl('doctor', 'br0', '--user', 'alice', '--helper', 'pluggers', '--json');
  expect(found.status).toBe(3);
  const bad = (JSON.parse(found.stdout) as { id: string; state: string; fixable: boolean }[]).filter(
    ({ state: how }) => how !== 'ok',
  );
  expect(bad.map(({ id, state: how, fixable }) => `${id} ${how} ${fixable}`)).toEqual([
    'helper-privilege problem true',
    'acl-allows problem true',
    'tun-device problem true',
    'bridge warning true',
  ]);
  const fixed = await acl('doctor', 'br0', '--user', 'alice', '--fix', '--helper', 'pluggers');
  expect(fixed).toMatchObject({ status: 0 });
  expect(askHelper('alice', 'br0')).toBe('');
  expect(text()).toBe('allow br1\nallow br0\n');
  const id = /sudo \S*qlaunch undo (\w+)/.exec(fixed.stderr)?.[1] ?? '';
  expect((await here.qlaunch('undo', id)).status).toBe(0);
  expect(overrides()).toBe('');
  expect(sh('stat -c %a /dev/net/tun')).toBe('600\n');
  expect(python(ATTRIBUTES)).toBe(attributes);
  expect(changed(before, state)).toEqual([]);
  // A deny of somebody's is not taken away: that is for people to decide.
  writeFileSync(ACL, 'allow br0\ndeny br0\n');
  const denied = await acl('doctor', 'br0', '--user', 'alice', '--fix', '--helper', 'pluggers');
  expect(denied.status).toBe(3);
  expect(denied.stdout).toContain(`${ACL}:2 denies br0`);
  expect(text()).toBe('allow br0\ndeny br0\n');
});

test.each([
  [
    'no-new-privs',
    '--no-new-privs',
    'failed to create tun device: Operation not permitted\n',
    /this process has no_new_privs set/,
  ],
  [
    'helper-privilege',
    '--bounding-set=-net_admin',
    'failed to drop privileges\n',
    /takes CAP_NET_ADMIN away/,
  ],
  ['helper-privilege', '--bounding-set=-setpcap', 'failed to drop privileges\n', /takes CAP_SETPCAP away/],
])('doctor sees what a sandbox or container takes away: %s by %s', async (id, limit, says, fact) => {
  const { stdout } = spawnSync(
    'sh',
    [
      '-c',
      'exec setpriv "$@"',
      'sh',
      limit,
      programs[0]?.path ?? '',
      'acl',
      'doctor',
      '--user',
      'alice',
      '--json',
    ],
    { encoding: 'utf8', env: { ...process.env, ...here.env } },
  );
  const problems = (JSON.parse(stdout) as { id: string; state: string; fact: string }[]).filter(
    ({ state }) => state === 'problem',
  );
  expect(problems).toMatchObject([{ id, fact: expect.stringMatching(fact) }]);
  expect(askHelper('alice', 'br0', limit)).toBe(says);
});

test('without root: what needs it, and the line to type', async () => {
  // Where she may read it.
  const built = dirname(programs[0]?.path ?? '');
  sh(`cp -r ${built} /run/bin; chmod -R a+rX /run/bin`);
  mkdirSync('/run/alice', { recursive: true });
  chownSync('/run/alice', ALICE, ALICE);
  const script = 'exec setpriv --reuid=alice --regid=alice --init-groups /run/bin/qlaunch "$@"';
  const asAlice = (...args: readonly string[]): SpawnSyncReturns<string> =>
    spawnSync('sh', ['-c', script, 'sh', ...args], {
      encoding: 'utf8',
      cwd: '/',
      env: { PATH: process.env['PATH'], HOME: '/run/alice', NO_COLOR: '1' },
    });
  chmodSync(HELPER, 0o755);
  const refused = asAlice('acl', 'allow', 'br1');
  expect(refused).toMatchObject({ status: 3 });
  expect(refused.stderr).toContain('[QL_NEEDS_ROOT]');
  expect(refused.stderr).toContain('try:     sudo /run/bin/qlaunch acl allow br1');
  expect(asAlice('acl', 'doctor', '--fix', '--helper', 'pluggers').stderr).toContain(
    'try:     sudo /run/bin/qlaunch acl doctor br0 --fix --helper pluggers',
  );
  expect(asAlice('acl', 'check', 'br0', '--user', 'bob').stderr).toContain('sudo /run/bin/qlaunch acl check');
  expect(asAlice('acl', 'check', 'br0', '--user', 'alice').status).toBe(0);
  // Her own file is hers to edit.
  expect(asAlice('acl', 'allow', 'br1', '--file', '/run/alice/my.conf').status).toBe(0);
  expect(readFileSync('/run/alice/my.conf', 'utf8')).toBe('allow br1\n');
});
