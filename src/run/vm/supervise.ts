/** A foreground VM: follows it to its end, and ends it politely when asked. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { QmpClient } from '../qmp/client.ts';
import { readStatus, type VmStatus } from './status.ts';
import { killVm, PRESS_AGAIN_MS, TAKE_BACK_MS, waitForEnd } from './stop.ts';

export interface SuperviseOptions {
  /** Deadlines of one polite stage: power button, then `quit`. */
  readonly powerdownMs: number;
  readonly quitMs: number;
  readonly stops: StopRequests;
  readonly say: (text: string) => void;
}

/** Requests to stop, each taken once; one that came before anybody waited is not lost. */
export interface StopRequests {
  request(): void;
  /** Resolves at the next request; never when the signal fires first. */
  next(signal: AbortSignal): Promise<'next'>;
}

export function stopRequests(): StopRequests {
  let waiting = 0;
  let wake: (() => void) | undefined;
  return {
    request() {
      waiting += 1;
      wake?.();
    },
    next(signal) {
      return new Promise((resolve) => {
        const take = (): void => {
          if (waiting === 0 || signal.aborted) return;
          waiting -= 1;
          wake = undefined;
          resolve('next');
        };
        wake = take;
        take();
      });
    },
  };
}

/**
 * Resolves with the VM's last status. Stage 0 runs; 1 pressed the power button; 2 sent `quit`; 3 SIGKILL. A stop
 * request moves one stage on, and so does a stage whose deadline passed.
 */
export async function supervise(vm: VmStatus, qmp: QmpClient, options: SuperviseOptions): Promise<VmStatus> {
  const gone = qmp.closed.then(() => 'gone' as const);
  let pressing: NodeJS.Timeout | undefined;
  for (let stage = 0; ; ) {
    const round = new AbortController();
    const waits: Promise<'gone' | 'next'>[] = [gone, options.stops.next(round.signal)];
    const deadlineMs = [undefined, options.powerdownMs, options.quitMs][stage];
    if (deadlineMs !== undefined) waits.push(deadline(deadlineMs, round.signal));
    const what = await Promise.race(waits);
    round.abort();
    if (what === 'gone') break;
    stage += 1;
    clearInterval(pressing);
    if (stage === 1) {
      const seconds = Math.round(options.powerdownMs / 1000);
      options.say(`asking the guest to power off; QEMU quits in ${seconds} s, or at once if you ask again`);
      pressButton(qmp);
      pressing = setInterval(() => pressButton(qmp), PRESS_AGAIN_MS).unref();
    } else if (stage === 2) {
      options.say('telling QEMU to quit');
      qmp.tryExecute('quit').catch(() => undefined);
    } else {
      options.say('killing QEMU');
      return killVm(vm, options.quitMs);
    }
  }
  clearInterval(pressing);
  return waitForEnd(readStatus(vm.dir) ?? vm, options.quitMs, TAKE_BACK_MS);
}

/** Not waited for: a QEMU that hangs must not keep the next request from being heard. */
function pressButton(qmp: QmpClient): void {
  qmp.tryExecute('system_powerdown').catch(() => undefined);
}

async function deadline(ms: number, signal: AbortSignal): Promise<'next'> {
  // Aborted when another wait has won the round; then nobody looks at the answer.
  await sleep(ms, undefined, { signal }).catch(() => undefined);
  return 'next';
}
