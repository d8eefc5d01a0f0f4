import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mountOptions } from '../../../../src/host/acl/mounts.ts';
import { readAclFile } from '../../../../src/host/acl/read.ts';
import { untrusted } from '../../../../src/host/acl/trust.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qlaunch-trust-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

test('what only we may write is trusted, also where /tmp is above it', () => {
  mkdirSync(join(dir, 'safe'));
  expect(untrusted(join(dir, 'safe/bridge.conf'))).toBeUndefined();
  expect(untrusted(join(dir, 'missing/bridge.conf'))).toBeUndefined();
});

test('a directory that others may write is not, nor one behind a symbolic link', () => {
  const open = join(dir, 'open');
  mkdirSync(open);
  chmodSync(open, 0o777);
  expect(untrusted(join(open, 'bridge.conf'))).toEqual({ culprit: open, why: 'others may write in it' });
  writeFileSync(join(open, 'x'), '');
  symlinkSync(join(open, 'x'), join(dir, 'link.conf'));
  expect(untrusted(join(dir, 'link.conf'))).toEqual({ culprit: open, why: 'others may write in it' });
  chmodSync(open, 0o1777);
  expect(untrusted(join(dir, 'link.conf'))).toBeUndefined();
});

test('links in a circle', () => {
  symlinkSync('b', join(dir, 'a'));
  symlinkSync('a', join(dir, 'b'));
  expect(untrusted(join(dir, 'a'))).toMatchObject({ why: 'its symbolic links lead in a circle' });
});

test('a directory reads as empty; what would wait for ever is not opened to the end', () => {
  expect(readAclFile(dir)).toEqual({ text: '' });
  expect(readAclFile('/dev/zero')).toEqual({ why: 'it is not a file: the helper may wait on it for ever' });
  expect(readAclFile('missing', dir)).toEqual({ why: 'there is no such file' });
  expect(readAclFile('', dir)).toEqual({ why: 'its name is empty' });
});

test('the mount that holds a path', () => {
  const table = [
    '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda rw',
    '30 22 0:9 / /usr/lib\\040x rw,nosuid - tmpfs tmpfs rw',
    '31 22 0:9 / /usr/lib ro,nodev - tmpfs tmpfs rw',
    '32 22 0:9 / /usr/lib rw,nosuid,nodev - tmpfs tmpfs rw',
  ].join('\n');
  expect(mountOptions('/usr/lib/qemu/h', table)).toEqual({
    point: '/usr/lib',
    options: ['rw', 'nosuid', 'nodev'],
  });
  expect(mountOptions('/usr/lib x/h', table)).toEqual({ point: '/usr/lib x', options: ['rw', 'nosuid'] });
  expect(mountOptions('/usr/library', table)).toEqual({ point: '/', options: ['rw', 'relatime'] });
});
