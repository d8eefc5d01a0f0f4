import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findBeside, findQemu } from '../../../../src/host/qemu/find.ts';
import { familyOf, installLine } from '../../../../src/host/qemu/install.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'find-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

function program(name: string, mode = 0o755): string {
  const file = join(dir, name);
  writeFileSync(file, '#!/bin/sh\n');
  chmodSync(file, mode);
  return file;
}

test('the usual name beats qemu-kvm, and a file that cannot be run is passed over', () => {
  program('qemu-system-x86_64', 0o644);
  const kvm = program('qemu-kvm');
  expect(findQemu(undefined, dir).path).toBe(kvm);
  const usual = program('qemu-system-x86_64');
  chmodSync(usual, 0o755);
  expect(findQemu(undefined, dir).path).toBe(usual);
});

test('a name is looked up in PATH, a path is taken as it is, a link keeps its name', () => {
  const real = program('qemu-10.1');
  symlinkSync(real, join(dir, 'my-qemu'));
  expect(findQemu('my-qemu', dir)).toMatchObject({
    path: join(dir, 'my-qemu'),
    identity: { realPath: real },
  });
  expect(findQemu(real, '').path).toBe(real);
});

test('what cannot be run says why', () => {
  mkdirSync(join(dir, 'sub'));
  const message = (wanted: string): unknown => {
    try {
      return findQemu(wanted, dir);
    } catch (error) {
      return error;
    }
  };
  expect(message(join(dir, 'sub'))).toMatchObject({
    code: 'QL_QEMU_MISSING',
    why: [`${join(dir, 'sub')} is not a file`],
  });
  expect(message('nope')).toMatchObject({ why: [`no program nope in PATH (${dir})`] });
  expect(message(join(dir, 'nope'))).toMatchObject({ why: [expect.stringContaining('ENOENT')] });
});

test('an empty PATH entry is not the current directory', () => {
  process.chdir(dir);
  program('qemu-img');
  expect(findBeside(undefined, 'qemu-img', ':')).toBeUndefined();
});

test('qemu-img beside the QEMU that runs beats the one in PATH', () => {
  const qemu = findQemu(program('qemu-system-x86_64'));
  const beside = program('qemu-img');
  expect(findBeside(qemu, 'qemu-img')).toBe(beside);
});

test('another content is another identity', () => {
  const file = program('qemu-kvm');
  const before = findQemu(file).identity;
  expect(findQemu(file).identity).toEqual(before);
  writeFileSync(file, '#!/bin/sh\nexit 1\n');
  expect(findQemu(file).identity).not.toEqual(before);
});

test.each([
  ['ID=debian\nVERSION_ID="12"\n', 'sudo apt install qemu-system-x86 qemu-utils'],
  [
    'NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n',
    'sudo apt install qemu-system-x86 qemu-utils',
  ],
  ['ID=fedora\n', 'sudo dnf install qemu-system-x86-core qemu-img'],
  ['ID="rocky"\nID_LIKE="rhel centos fedora"\n', 'sudo dnf install qemu-kvm qemu-img'],
  ['ID=arch\n', 'sudo pacman -S qemu-base'],
  ['ID=alpine\n', 'sudo apk add qemu-system-x86_64 qemu-img'],
  ['ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n', 'sudo zypper install qemu-x86 qemu-img'],
  ['', `install QEMU's "qemu" by your distribution's package manager`],
])('%j: %s', (osRelease, line) => {
  expect(installLine('qemu', familyOf(osRelease))).toBe(line);
});
