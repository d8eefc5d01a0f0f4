/** A foreground VM: follows it to its end, and ends it politely when asked. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { QmpClient } from '../qmp/client.ts';
import { readStatus, type VmStatus } from './status.ts';
import { killVm, waitForEnd } from './stop.ts';

export interface SuperviseOptions {
  /** Deadlines of one polite stage: power button, then `quit`. */
  readonly powerdownMs: number;
  readonly quitMs: number;
  /** Aborted once per request to stop (Ctrl-C, SIGTERM, SIGHUP); the second one skips the power button. */
  readonly onStop: (request: () => void) => () => void;
  readonly say: (text: string) => void;
}

/**
 * Resolves with the VM's last status. Stage 0 runs; 1 pressed the power button; 2 sent `quit`; 3 SIGKILL. A stop
 * request moves one stage on, and so does a stage whose deadline passed.
 */
export async function supervise(vm: VmStatus, qmp: QmpClient, options: SuperviseOptions): Promise<VmStatus> {
  let stage = 0;
  const requests = new EventTarget();
  const forget = options.onStop(() => requests.dispatchEvent(new Event('stop')));
  const gone = qmp.closed.then(() => 'gone' as const);
  try {
    for (;;) {
      const abort = new AbortController();
      const waits: Promise<'gone' | 'next'>[] = [gone, nextRequest(requests, abort.signal)];
      const deadlineMs = [undefined, options.powerdownMs, options.quitMs][stage];
      if (deadlineMs !== undefined) waits.push(sleep(deadlineMs, 'next' as const, { signal: abort.signal, ref: true }).catch(() => 'next' as const));
      const what = await Promise.race(waits);
      abort.abort();
      if (what === 'gone') break;
      stage += 1;
      if (stage === 1) {
        options.say('asking the guest to power off (again: QEMU quits at once)');
        await qmp.tryExecute('system_powerdown').catch(() => undefined);
      } else if (stage === 2) {
        options.say('telling QEMU to quit');
        qmp.tryExecute('quit').catch(() => undefined);
      } else {
        options.say('killing QEMU');
        return await killVm(vm, options.quitMs);
      }
    }
  } finally {
    forget();
  }
  return waitForEnd(readStatus(vm.dir) ?? vm, options.quitMs);
}

async function nextRequest(requests: EventTarget, signal: AbortSignal): Promise<'next'> {
  try {
    await once(requests, 'stop', { signal });
  } catch {
    // Aborted: another wait has won this round.
  }
  return 'next';
}
