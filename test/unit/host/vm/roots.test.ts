import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bootId } from '../../../../src/host/ids.ts';
import { describe } from '../../../../src/host/vm/description.ts';
import { visibleVmRoots, vmDirs } from '../../../../src/host/vm/dirs.ts';
import type { Identity } from '../../../../src/host/vm/user.ts';

const user = { uid: 1000, gid: 1000, name: 'u', home: '/home/u' };
const plain: Identity = { user, dropTo: false, root: false };
const sudo: Identity = { user, dropTo: true, root: true };
const own = `/home/u/.local/state/qlaunch/run/${bootId()}`;

function scratch(): string {
  const dir = mkdtempSync(join(tmpdir(), 'roots-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
}

test('the documented places', () => {
  expect(vmDirs(plain, {}, 10)).toMatchObject({ root: own, state: '/home/u/.local/state/qlaunch' });
  expect(vmDirs(sudo, { XDG_STATE_HOME: '/x' })).toEqual({
    root: '/run/qlaunch/vm/1000',
    socketRoot: '/run/qlaunch/vm/1000',
    state: '/var/lib/qlaunch',
  });
});

test('an empty variable moves nothing', () => {
  const env = { QLAUNCH_RUNTIME_DIR: '', QLAUNCH_STATE_DIR: '', XDG_STATE_HOME: '' };
  expect(vmDirs(plain, env)).toEqual(vmDirs(plain, {}));
  expect(vmDirs(sudo, env)).toEqual(vmDirs(sudo, {}));
});

test('sockets go to a short place when the path would be too long; under sudo not to the caller’s', () => {
  const env = { QLAUNCH_RUNTIME_DIR: `/${'x'.repeat(90)}`, XDG_RUNTIME_DIR: '/run/user/1000' };
  expect(vmDirs(plain, env).socketRoot).toBe('/run/user/1000/qlaunch');
  expect(vmDirs(plain, { ...env, XDG_RUNTIME_DIR: 'user' }).socketRoot).toBe('/tmp/qlaunch-1000');
  expect(vmDirs(sudo, env).socketRoot).toBe('/tmp/qlaunch-1000');
});

test('a user sees the own VMs and those that sudo started for it', () => {
  expect(visibleVmRoots(plain, {})).toEqual([own, '/run/qlaunch/vm/1000']);
  expect(visibleVmRoots(plain, { QLAUNCH_RUNTIME_DIR: '/r' })).toEqual(['/r/vm/1000']);
});

test('root sees everybody’s', () => {
  const dir = scratch();
  for (const name of ['0', '1000', 'lost+found']) mkdirSync(join(dir, 'vm', name), { recursive: true });
  const roots = visibleVmRoots(sudo, { QLAUNCH_RUNTIME_DIR: dir });
  expect([...roots].sort()).toEqual([join(dir, 'vm/0'), join(dir, 'vm/1000')]);
});

test('under sudo also what the user started without', () => {
  const home = scratch();
  const theirs = join(home, '.local/state/qlaunch/run', bootId());
  mkdirSync(theirs, { recursive: true });
  const uid = process.getuid?.() ?? 0;
  const who = { ...sudo, user: { ...user, uid: uid === 0 ? 1000 : uid, home } };
  if (uid === 0) chownSync(theirs, 1000, 1000);
  expect(visibleVmRoots(who, {})).toContain(theirs);
  expect(visibleVmRoots({ ...who, user: { ...who.user, uid: 4_000_000 } }, {})).not.toContain(theirs);
});

test('the configuration is found where the other programs look for it', () => {
  const dir = scratch();
  mkdirSync(join(dir, '.config/qlaunch'), { recursive: true });
  writeFileSync(join(dir, '.config/qlaunch/config.ini'), '[vm]\n');
  const who = { ...plain, user: { ...user, home: dir } };
  for (const env of [{}, { XDG_CONFIG_HOME: 'relative' }, { QLAUNCH_CONFIG_DIR: '' }])
    expect(describe(undefined, who, env, '/')).toMatchObject({ userConfig: { text: '[vm]\n' } });
});
