/** VM directories as a launcher, a waiter and QEMU leave them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type VmRecord, writeRecord } from '../../../../src/host/vm/store.ts';
import { FILES } from '../../../../src/plan/vm/waiter.ts';

/** A folder for VMs of the running test's own. */
export function vmRoot(): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'vms-')));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
}

export function makeVm(root: string, name: string, more: Partial<VmRecord> = {}): string {
  const dir = join(root, name);
  mkdirSync(dir, { mode: 0o700 });
  writeRecord(dir, {
    v: 1,
    name,
    identity: `/images/${name}.qcow2`,
    uid: process.getuid?.() ?? 0,
    startedAt: '2026-01-02T03:04:05.000Z',
    detached: true,
    argv: ['qemu'],
    socketDir: dir,
    serial: 'socket',
    nics: [],
    disks: [],
    ...more,
  });
  return dir;
}

/** A process that has these words among its arguments, as QEMU or its waiter would, and its pid file. */
export function runs(dir: string, as: 'qemu' | 'waiter'): ChildProcess {
  const words = as === 'qemu' ? ['-pidfile', join(dir, FILES.pid)] : ['qlaunch-waiter', dir];
  const child = spawn('/bin/sh', ['-c', 'read end', ...words], { stdio: ['pipe', 'ignore', 'ignore'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const file = as === 'qemu' ? FILES.pid : FILES.waiter;
  writeFileSync(join(dir, file), `${child.pid}\n`);
  return child;
}
