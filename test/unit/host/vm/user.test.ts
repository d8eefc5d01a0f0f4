import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { asUser, identity } from '../../../../src/host/vm/user.ts';

/** A name service that knows one more user than /etc/passwd, as LDAP would. */
function withDirectoryService(): void {
  const dir = mkdtempSync(join(tmpdir(), 'nss-'));
  const getent = [
    '#!/bin/sh',
    'case "$1 $2" in',
    '"passwd carol" | "passwd 70001") echo "carol:*:70001:70002:Carol:/net/carol:/bin/sh" ;;',
    '*) exit 2 ;;',
    'esac',
  ];
  const id = ['#!/bin/sh', '[ "$*" = "-G -- carol" ] && echo 70002 4242'];
  for (const [name, script] of Object.entries({ getent, id })) {
    writeFileSync(join(dir, name), script.join('\n'));
    chmodSync(join(dir, name), 0o755);
  }
  const path = process.env['PATH'];
  process.env['PATH'] = `${dir}:${path}`;
  onTestFinished(() => {
    process.env['PATH'] = path;
    rmSync(dir, { recursive: true });
  });
}

const carol = { name: 'carol', uid: 70_001, gid: 70_002, home: '/net/carol' };

test('a user that only the name service knows, by name, by number and as sudo’s caller', () => {
  withDirectoryService();
  expect(identity({}, 'carol')).toEqual({ user: carol, dropTo: true, root: true });
  expect(identity({}, '70001').user).toEqual(carol);
  expect(identity({ SUDO_UID: '70001', SUDO_USER: 'mallory' })).toEqual({
    user: carol,
    dropTo: true,
    root: true,
  });
});

test('a user of /etc/passwd, by name and by number', () => {
  expect(identity({}, 'nobody')).toMatchObject({ user: { uid: 65_534 }, dropTo: true });
  expect(identity({}, '65534').user.name).toBe('nobody');
  expect(identity({}, 'root')).toMatchObject({ user: { uid: 0, home: '/root' }, dropTo: false });
});

test.each(['daisy', '--help', '', '70003'])('there is no user "%s"', (name) => {
  withDirectoryService();
  expect(() => identity({}, name)).toThrow(expect.objectContaining({ code: 'QL_RUN_AS', exit: 2 }));
});

test('a caller of sudo that nobody knows is told so, not setpriv', () => {
  withDirectoryService();
  expect(() => identity({ SUDO_UID: '70003', SUDO_USER: 'gone' })).toThrow(
    expect.objectContaining({
      code: 'QL_SUDO_USER',
      exit: 3,
      message: 'sudo was called by uid 70003, and there is no such user',
    }),
  );
});

test('a home that is no path is looked up', () => {
  for (const env of [{}, { HOME: '' }, { HOME: 'here' }]) expect(identity(env).user.home).toBe('/root');
  expect(identity({ HOME: '/elsewhere' }).user.home).toBe('/elsewhere');
});

test('groups that only the name service knows count', () => {
  withDirectoryService();
  const groups = asUser(identity({}, 'carol'), () => process.getgroups?.());
  expect(groups).toEqual(expect.arrayContaining([70_002, 4242]));
  const unknown = {
    user: { uid: 70_009, gid: 70_010, name: 'nobody-knows', home: '/' },
    dropTo: true,
    root: true,
  };
  expect(asUser(unknown, () => process.getgroups?.())).toContain(70_010);
});
