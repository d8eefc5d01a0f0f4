import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { makePrivateDir } from '../../../../src/host/vm/dirs.ts';
import { asOwner, type Identity } from '../../../../src/host/vm/user.ts';

const user = { uid: 65_534, gid: 65_534, name: 'nobody', home: '/' };
const OTHER = 65_533;
/** We are root, QEMU is not. */
const sudo: Identity = { user, dropTo: true, root: true };

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'private-dir-'));
  onTestFinished(() => rmSync(base, { recursive: true }));
});

const look = (path: string): [number, string] => {
  const { uid, mode } = statSync(path);
  return [uid, (mode & 0o7777).toString(8)];
};
const refused = expect.objectContaining({ code: 'QL_STATE_DIR', exit: 3 });

test.each([
  ['022', 0o022],
  ['077', 0o077],
  ['002', 0o002],
])('under umask %s QEMU’s user gets to its directory', (_umask: string, umask: number) => {
  const before = process.umask(umask);
  onTestFinished(() => void process.umask(before));
  const root = join(base, 'vm', '65534');
  makePrivateDir(join(root, 'web'), sudo);
  expect([look(base), look(join(base, 'vm')), look(join(root, 'web'))]).toEqual([
    [0, '711'],
    [0, '711'],
    [65_534, '700'],
  ]);
  // The user may see which VMs it has, and make none there.
  expect(asOwner(user, () => readdirSync(root))).toEqual(['web']);
  expect(() => asOwner(user, () => mkdirSync(join(root, 'db')))).toThrow('EACCES');
  expect(process.umask()).toBe(umask);
});

test('what an earlier start under umask 077 closed is opened', () => {
  mkdirSync(join(base, 'vm', '65534', 'web'), { recursive: true, mode: 0o700 });
  for (const dir of ['vm', 'vm/65534', 'vm/65534/web']) chmodSync(join(base, dir), 0o700);
  makePrivateDir(join(base, 'vm/65534/web'), sudo);
  expect(look(join(base, 'vm/65534/web'))).toEqual([65_534, '700']);
  expect(asOwner(user, () => readdirSync(join(base, 'vm/65534/web')))).toEqual([]);
});

test('a way that is closed further up is refused before QEMU is started', () => {
  const closed = join(base, 'a/b/c');
  mkdirSync(closed, { recursive: true });
  chmodSync(join(base, 'a'), 0o700);
  chmodSync(base, 0o755);
  expect(() => makePrivateDir(join(closed, 'vm/65534/web'), sudo)).toThrow(refused);
});

test('in a directory for everybody the parent is the user’s own', () => {
  chmodSync(base, 0o1777);
  const dir = join(base, 'qlaunch-65534', 'web');
  makePrivateDir(dir, sudo);
  makePrivateDir(dir, sudo);
  expect([look(join(dir, '..')), look(dir)]).toEqual([
    [65_534, '700'],
    [65_534, '700'],
  ]);
});

test('in the user’s runtime directory as well', () => {
  chownSync(base, user.uid, user.gid);
  makePrivateDir(join(base, 'qlaunch', 'web'), sudo);
  expect([look(join(base, 'qlaunch')), look(join(base, 'qlaunch/web'))]).toEqual([
    [65_534, '700'],
    [65_534, '700'],
  ]);
});

test.each<[string, (parent: string) => void]>([
  ['another user’s', (parent) => chownSync(parent, OTHER, OTHER)],
  ['for others to write', (parent) => chmodSync(parent, 0o777)],
  [
    'a link',
    (parent) => {
      rmSync(parent, { recursive: true });
      mkdirSync(`${parent}-elsewhere`);
      symlinkSync(`${parent}-elsewhere`, parent);
    },
  ],
])('a parent that was there and is %s is refused', (_what: string, spoil: (parent: string) => void) => {
  chmodSync(base, 0o1777);
  const parent = join(base, 'qlaunch-65534');
  mkdirSync(parent);
  spoil(parent);
  expect(() => makePrivateDir(join(parent, 'web'), sudo)).toThrow(refused);
  expect(readdirSync(parent)).toEqual([]);
});

test('a directory of another user is refused', () => {
  const dir = join(base, 'vm', 'web');
  mkdirSync(dir, { recursive: true });
  chownSync(dir, OTHER, OTHER);
  expect(() => makePrivateDir(dir, sudo)).toThrow(refused);
});
