import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { findFirmware, ownVars, varsPath } from '../../../../src/host/qemu/firmware.ts';
import { findBridgeHelper } from '../../../../src/host/qemu/helper.ts';
import { asOwner } from '../../../../src/host/vm/user.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'firmware-'));
  mkdirSync(join(dir, 'etc'));
  mkdirSync(join(dir, 'share'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

interface Wish {
  machines?: string[];
  features?: string[];
  format?: string;
  missing?: boolean;
}

/** Writes a descriptor and the files it names; they are called as the descriptor. */
function describeFirmware(
  place: string,
  { machines = ['pc-q35-*'], features = [], format = 'raw', missing }: Wish = {},
): void {
  const code = join(dir, `${place.replace('/', '-')}.code`);
  if (!missing) for (const file of [code, `${code}.vars`]) writeFileSync(file, 'firmware');
  const descriptor = {
    'interface-types': ['uefi'],
    mapping: {
      device: 'flash',
      executable: { filename: code, format },
      'nvram-template': { filename: `${code}.vars`, format },
    },
    targets: [{ architecture: 'x86_64', machines }],
    features,
  };
  writeFileSync(join(dir, `${place}.json`), JSON.stringify(descriptor));
}
const found = (machine = 'q35'): string =>
  findFirmware(machine, [join(dir, 'etc'), join(dir, 'share')]).code.slice(dir.length + 1);

test('the first by number that a plain guest can boot from', () => {
  describeFirmware('share/40-secure', { features: ['secure-boot', 'requires-smm', 'enrolled-keys'] });
  describeFirmware('share/50-aarch64', { machines: ['virt-*'] });
  describeFirmware('share/55-gone', { missing: true });
  describeFirmware('share/70-second');
  describeFirmware('share/60-plain', { features: ['acpi-s3', 'verbose-dynamic'] });
  expect(found()).toBe('share-60-plain.code');
});

test('the machine decides', () => {
  describeFirmware('share/10-pc', { machines: ['pc-i440fx-*'] });
  describeFirmware('share/20-both', { machines: ['pc-i440fx-*', 'pc-q35-*'], format: 'qcow2' });
  expect(found('pc')).toBe('share-10-pc.code');
  expect(found('pc-i440fx-7.2')).toBe('share-10-pc.code');
  expect(findFirmware('q35', [join(dir, 'share')]).format).toBe('qcow2');
});

test('the administrator’s file hides the package’s, an empty one hides it altogether', () => {
  describeFirmware('share/10-a');
  describeFirmware('share/20-b');
  describeFirmware('etc/10-a');
  expect(found()).toBe('etc-10-a.code');
  writeFileSync(join(dir, 'etc/10-a.json'), '');
  expect(found()).toBe('share-20-b.code');
});

test('variables are copied once and then belong to the VM', () => {
  const template = join(dir, 'template');
  const target = join(dir, 'state', 'web', 'vars.fd');
  writeFileSync(template, 'empty');
  chmodSync(template, 0o444);
  ownVars(template, target);
  expect(statSync(target).mode & 0o777).toBe(0o600);
  writeFileSync(target, 'boot entries');
  ownVars(template, target);
  expect(readFileSync(target, 'utf8')).toBe('boot entries');
});

test('root’s umask and root’s folders do not keep QEMU’s user from its variables', () => {
  const before = process.umask(0o077);
  onTestFinished(() => void process.umask(before));
  const nobody = { uid: 65_534, gid: 65_534 };
  const template = join(dir, 'template');
  writeFileSync(template, 'empty', { mode: 0o644 });
  chmodSync(template, 0o644);
  chmodSync(dir, 0o711);
  // As an earlier version made them.
  mkdirSync(join(dir, 'state', 'uefi'), { recursive: true });
  const target = varsPath(join(dir, 'state'), nobody.uid, '/images/web.qcow2', 'fd');
  ownVars(template, target, nobody);
  const look = (path: string): [number, number] => [statSync(path).uid, statSync(path).mode & 0o777];
  expect([look(join(dir, 'state')), look(join(dir, 'state/uefi'))]).toEqual([
    [0, 0o711],
    [0, 0o711],
  ]);
  expect([look(join(target, '..')), look(target)]).toEqual([
    [nobody.uid, 0o700],
    [nobody.uid, 0o600],
  ]);
  asOwner(nobody, () => writeFileSync(target, 'boot entries'));
  ownVars(template, target, nobody);
  expect(readFileSync(target, 'utf8')).toBe('boot entries');
});

test('a link in the user’s folder does not lead root to another file', () => {
  const nobody = { uid: 65_534, gid: 65_534 };
  const target = varsPath(join(dir, 'state'), nobody.uid, 'web', 'fd');
  writeFileSync(join(dir, 'template'), 'empty');
  chmodSync(dir, 0o711);
  ownVars(join(dir, 'template'), target, nobody);
  rmSync(target);
  mkdirSync(join(dir, 'root-only'), { mode: 0o700 });
  symlinkSync(join(dir, 'root-only', 'new'), target);
  ownVars(join(dir, 'template'), target, nobody);
  expect(readdirSync(join(dir, 'root-only'))).toEqual([]);
});

test('variables are a user’s and an image’s, not a name’s', () => {
  expect(varsPath('/var/lib/qlaunch', 1000, '/home/u/a/web.qcow2', 'fd')).toMatch(
    /^\/var\/lib\/qlaunch\/uefi\/1000\/[0-9a-f]{16}\.fd$/,
  );
  const paths = [
    varsPath('/s', 1000, '/a/web.qcow2', 'fd'),
    varsPath('/s', 1000, '/b/web.qcow2', 'fd'),
    varsPath('/s', 1001, '/a/web.qcow2', 'fd'),
  ];
  expect(new Set(paths).size).toBe(3);
});

test('the helper that QEMU names, where it exists; else the distribution’s', () => {
  const helper = join(dir, 'qemu-bridge-helper');
  writeFileSync(helper, '', { mode: 0o755 });
  expect(findBridgeHelper(helper, [])).toBe(helper);
  expect(findBridgeHelper('/nope/qemu-bridge-helper', [helper])).toBe(helper);
  expect(() => findBridgeHelper('/nope/h', ['/nope/i'])).toThrow(
    expect.objectContaining({ code: 'QL_BRIDGE_HELPER_MISSING', why: ['looked for /nope/h, /nope/i'] }),
  );
});
