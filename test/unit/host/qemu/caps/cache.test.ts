import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cacheDir } from '../../../../../src/host/qemu/cache-dir.ts';
import { readCache, writeCache } from '../../../../../src/host/qemu/caps/cache.ts';
import type { QemuCaps } from '../../../../../src/host/qemu/caps/caps.ts';
import { findQemu } from '../../../../../src/host/qemu/find.ts';

let dir: string;
let binary: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'caps-'));
  process.env['QLAUNCH_CACHE_DIR'] = join(dir, 'cache');
  binary = join(dir, 'qemu');
  writeFileSync(binary, 'one', { mode: 0o755 });
});
afterEach(() => {
  delete process.env['QLAUNCH_CACHE_DIR'];
  delete process.env['QEMU_MODULE_DIR'];
  rmSync(dir, { recursive: true });
});

const caps: QemuCaps = {
  version: { major: 7, minor: 2, micro: 22 },
  package: 'Debian',
  netdevs: new Set(['user', 'tap']),
  devices: new Set(['virtio-net-pci']),
  machines: new Set(['q35']),
  accels: new Set(['tcg']),
  displays: new Set(),
  commands: new Set(['quit']),
  features: new Set(['device-json-hotplug']),
  bridgeHelper: '/usr/lib/qemu/qemu-bridge-helper',
};

test('what was written is read back, sets as sets', () => {
  expect(readCache(findQemu(binary))).toBeUndefined();
  writeCache(findQemu(binary), caps);
  expect(readCache(findQemu(binary))).toEqual(caps);
});

test('another binary, another module directory, or a damaged file: asked again', () => {
  writeCache(findQemu(binary), caps);
  process.env['QEMU_MODULE_DIR'] = dir;
  expect(readCache(findQemu(binary))).toBeUndefined();
  delete process.env['QEMU_MODULE_DIR'];
  const [file = ''] = readdirSync(join(dir, 'cache'));
  writeFileSync(join(dir, 'cache', file), '{"key": "');
  expect(readCache(findQemu(binary))).toBeUndefined();
  writeCache(findQemu(binary), caps);
  writeFileSync(binary, 'another');
  expect(readCache(findQemu(binary))).toBeUndefined();
});

test('what a QEMU said as one user is not believed for another, nor for root', () => {
  const as = (uid: number): string[] => ['setpriv', '--reuid', `${uid}`, '--regid', `${uid}`, '--'];
  writeCache(findQemu(binary), caps, as(1000));
  expect(readCache(findQemu(binary))).toBeUndefined();
  expect(readCache(findQemu(binary), as(1001))).toBeUndefined();
  writeCache(findQemu(binary), { ...caps, package: 'root’s' });
  expect(readCache(findQemu(binary), as(1000))).toEqual(caps);
});

test('a cache that cannot be written is no failure', () => {
  writeFileSync(join(dir, 'cache'), 'a file where the directory should be');
  expect(() => writeCache(findQemu(binary), caps)).not.toThrow();
});

test('where the cache is', () => {
  expect(cacheDir({ QLAUNCH_CACHE_DIR: '/x' }, 0)).toBe('/x');
  expect(cacheDir({ HOME: '/home/u', XDG_CACHE_HOME: '/home/u/c' }, 0)).toBe('/var/cache/qlaunch');
  expect(cacheDir({ XDG_CACHE_HOME: '/home/u/c' }, 1000)).toBe('/home/u/c/qlaunch');
  expect(cacheDir({ XDG_CACHE_HOME: 'relative' }, 1000)).toMatch(/\/\.cache\/qlaunch$/);
});
