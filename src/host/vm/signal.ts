/** Signals for a VM's processes that are ours, and for nobody else's. */
import { join } from 'node:path';
import { EXIT, QlaunchError } from '../../errors.ts';
import { FILES } from '../../plan/vm/waiter.ts';
import { passtPids, qemuPid } from './alive.ts';
import { childrenOf, killChildren } from './children.ts';

/**
 * SIGKILL ends what QEMU has started as well: a network script that hangs would hold its tap for ever.
 * Errors: QL_VM_PID when no process can be proven to be the QEMU of `dir`.
 */
export function signalQemu(dir: string, signal: NodeJS.Signals): void {
  const pid = qemuPid(dir);
  if (pid !== undefined) {
    const children = signal === 'SIGKILL' ? childrenOf(pid) : [];
    process.kill(pid, signal);
    killChildren(children);
    return;
  }
  throw new QlaunchError('QL_VM_PID', EXIT.refused, {
    what: `will not send ${signal}: the QEMU of ${dir} is not known`,
    why: [`no process of that number in ${join(dir, FILES.pid)} runs with this pid file`],
    todo: [`fuser -v ${join(dir, FILES.lock)}`],
  });
}

/** Ends the passts that an interrupted start left: nobody is going to connect to them. Their pids. */
export function endPassts(dir: string): readonly number[] {
  return passtPids(dir).filter((pid) => {
    try {
      process.kill(pid);
      return true;
    } catch {
      // It has just ended, or root started it and we may not.
      return false;
    }
  });
}
