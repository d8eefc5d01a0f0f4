import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunResult } from '../../../../../src/host/port.ts';
import { kvmMissing } from '../../../../../src/host/qemu/accel/kvm-device.ts';
import { probeRom } from '../../../../../src/host/qemu/accel/probe-rom.ts';
import { judge } from '../../../../../src/host/qemu/accel/verdict.ts';

const run = (result: Partial<RunResult>): RunResult => ({
  status: null,
  signal: 'SIGKILL',
  stdout: '',
  stderr: '',
  timedOut: false,
  ...result,
});

test('the guest finished: KVM works, whatever QEMU warned about', () => {
  const stderr =
    "qemu-system-x86_64: warning: host doesn't support requested feature: CPUID.01H:ECX.pni [bit 0]\n";
  expect(judge(run({ status: 0, signal: null, stdout: 'RPLK\n', stderr }), 2000)).toBeUndefined();
});

test.each([
  ['', 'executes nothing within 2 s'],
  ['R', 'stops on the way to protected mode'],
  ['RP', 'stops on the way to long mode'],
  ['RPL', 'runs, but slower than plain emulation'],
])('it got as far as "%s": %s', (stdout, because) => {
  expect(judge(run({ stdout, timedOut: true }), 2000)?.because).toContain(because);
});

test('a refusal is told in QEMU’s words, warnings left out', () => {
  const stderr = [
    'Could not access KVM kernel module: Permission denied',
    'qemu-system-x86_64: warning: something else',
    'qemu-system-x86_64: -accel kvm: failed to initialize kvm: Permission denied',
    '',
  ].join('\n');
  const verdict = judge(run({ status: 1, signal: null, stderr }), 2000);
  expect(verdict?.because).toBe(
    'a KVM guest does not start (-accel kvm: failed to initialize kvm: Permission denied)',
  );
  expect(verdict?.cure).toEqual([expect.stringContaining('usermod -aG kvm')]);
});

test('an abort without a word names the signal', () => {
  expect(judge(run({ signal: 'SIGABRT' }), 2000)?.because).toBe(
    'a KVM guest does not start (QEMU ended with SIGABRT)',
  );
});

test.each([
  ['flags\t\t: fpu vmx sse2\n', 'though the CPU has vmx', 'sudo modprobe kvm_intel'],
  ['flags\t\t: fpu svm sse2\n', 'though the CPU has svm', 'sudo modprobe kvm_amd'],
  ['flags\t\t: fpu vmxoff sse2\n', 'the CPU offers neither vmx nor svm', 'switch VT-x or AMD-V on'],
])('no /dev/kvm and "%j"', (cpuInfo, because, cure) => {
  const dir = mkdtempSync(join(tmpdir(), 'kvm-'));
  writeFileSync(join(dir, 'cpuinfo'), cpuInfo);
  const missing = kvmMissing(true, join(dir, 'kvm'), join(dir, 'cpuinfo'));
  rmSync(dir, { recursive: true });
  expect(missing?.because).toContain(because);
  expect(missing?.cure.join()).toContain(cure);
});

test('the ROM begins where an x86 CPU does, and jumps to the code', () => {
  const rom = Buffer.from(probeRom());
  expect(rom.length).toBe(0x10000);
  expect(rom.subarray(0xfff0, 0xfff5).toString('hex')).toBe('ea00fe00f0');
  expect(rom[0xfe00]).toBe(0xfa);
});
