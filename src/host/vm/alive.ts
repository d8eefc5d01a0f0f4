/**
 * The processes of a VM, found by its pid files and believed only when /proc agrees: the files are the VM's user's to
 * write, and a pid is used again. (The VM's flock would tell as well, but opening /proc/locks makes the kernel wait
 * for an RCU grace period, 8 ms and more, and inside a pid namespace it does not show a lock whose taker is gone.)
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FILES, WAITER_NAME } from '../../plan/vm/waiter.ts';
import { processStart } from '../ids.ts';
import { readText } from './store.ts';

/** QEMU's pid while it lives: a process with `-pidfile DIR/qemu.pid` among its arguments. */
export function qemuPid(dir: string): number | undefined {
  return livingPid(join(dir, FILES.pid), '-pidfile', join(dir, FILES.pid));
}

/** The waiter's: a shell whose script is called WAITER_NAME and got this directory. */
export function waiterPid(dir: string): number | undefined {
  return livingPid(join(dir, FILES.waiter), WAITER_NAME, dir);
}

/** Whoever is preparing the start, before there is a waiter. */
export function launcherPid(dir: string): number | undefined {
  const [pid, start] = (readText(join(dir, FILES.launcher)) ?? '').trim().split(' ').map(Number);
  return pid !== undefined && pid > 1 && processStart(pid) === start ? pid : undefined;
}

/** Says that we are. */
export function claimLaunch(dir: string): void {
  const start = processStart(process.pid);
  writeFileSync(join(dir, FILES.launcher), `${process.pid} ${start}\n`, { mode: 0o600, flag: 'wx' });
}

function livingPid(file: string, word: string, next: string): number | undefined {
  const pid = Number((readText(file) ?? '').trim());
  if (!Number.isInteger(pid) || pid < 2) return undefined;
  const words = (readText(`/proc/${pid}/cmdline`) ?? '').split('\0');
  const at = words.indexOf(word);
  return at > 0 && words[at + 1] === next ? pid : undefined;
}

/** The passts of a VM whose QEMU never came, or the pid files of those that left with it. */
export function passtPids(dir: string): readonly number[] {
  return passts(dir).flatMap(({ pid }) => pid ?? []);
}

/** NICs whose passt has ended: QEMU does not start another one. */
export function cutOff(dir: string): readonly string[] {
  return passts(dir).flatMap(({ nic, pid }) => (pid === undefined ? [nic] : []));
}

function passts(dir: string): readonly { readonly nic: string; readonly pid: number | undefined }[] {
  return names(dir).flatMap((name) => {
    const [, nic] = /^passt-(.*)\.pid$/.exec(name) ?? [];
    if (nic === undefined) return [];
    return [{ nic, pid: livingPid(join(dir, name), '--log-file', join(dir, `passt-${nic}.log`)) }];
  });
}

function names(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
