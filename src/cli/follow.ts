/** A foreground VM and the terminal it has. */
import { EXIT } from '../errors.ts';
import type { QmpClient } from '../run/qmp/client.ts';
import type { VmStatus } from '../run/vm/status.ts';
import { type StopRequests, stopRequests, supervise } from '../run/vm/supervise.ts';
import { note } from './terminal.ts';
import { QUIT_MS } from './vm.ts';

/** For the guest to power off after the first Ctrl-C. */
const POWERDOWN_MS = 60_000;
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Ctrl-C counts from before QEMU starts. */
export function listenForStops(): { readonly stops: StopRequests; forget(): void } {
  const stops = stopRequests();
  for (const signal of STOP_SIGNALS) process.on(signal, stops.request);
  return {
    stops,
    forget() {
      for (const signal of STOP_SIGNALS) process.off(signal, stops.request);
    },
  };
}

/** 0 when the guest or the user ended it, 4 when QEMU failed or was killed. */
export async function follow(vm: VmStatus, qmp: QmpClient, stops: StopRequests): Promise<number> {
  const say = (text: string): void => note(`\rqlaunch: ${text}`);
  const end = await supervise(vm, qmp, { powerdownMs: POWERDOWN_MS, quitMs: QUIT_MS, stops, say });
  if (end.state === 'ended') return EXIT.ok;
  note(`qlaunch: ${vm.record.name}: ${end.reason ?? end.state}`);
  return EXIT.host;
}
