/** Signals for a QEMU that is ours, and for nobody else. */
import { join } from 'node:path';
import { EXIT, QlaunchError } from '../../errors.ts';
import { FILES } from '../../plan/vm/waiter.ts';
import { readText } from './store.ts';

/**
 * The pid file of a VM is its user's to write, so a pid is believed only when that process runs QEMU with this very
 * pid file on its command line.
 */
export function signalQemu(dir: string, pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid !== undefined && runsWith(pid, join(dir, FILES.pid))) {
    process.kill(pid, signal);
    return;
  }
  throw new QlaunchError('QL_VM_PID', EXIT.refused, {
    what: `will not send ${signal}: QEMU's process is not known`,
    why: [
      pid === undefined ? `${join(dir, FILES.pid)} is not there` : `process ${pid} is not the QEMU of ${dir}`,
    ],
    todo: [`fuser -v ${join(dir, FILES.lock)}`],
  });
}

function runsWith(pid: number, pidFile: string): boolean {
  const words = (readText(`/proc/${pid}/cmdline`) ?? '').split('\0');
  const at = words.indexOf('-pidfile');
  // QEMU doubles no comma here: -pidfile takes a plain path.
  return at > 0 && words[at + 1] === pidFile;
}
