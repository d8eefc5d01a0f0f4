/** A foreground VM and the terminal it has. */
import { EXIT } from '../errors.ts';
import type { QmpClient } from '../run/qmp/client.ts';
import type { VmStatus } from '../run/vm/status.ts';
import { supervise } from '../run/vm/supervise.ts';
import { note } from './terminal.ts';
import { keepTerminal } from './tty.ts';
import { QUIT_MS } from './vm.ts';

/** For the guest to power off after the first Ctrl-C. */
const POWERDOWN_MS = 60_000;
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** 0 when the guest or the user ended it, 4 when QEMU failed or was killed. */
export async function follow(vm: VmStatus, qmp: QmpClient, terminal: boolean): Promise<number> {
  const restore = terminal ? keepTerminal() : () => {};
  if (!terminal) note(`${vm.record.name} is running (pid ${vm.pid}); Ctrl-C shuts the guest down`);
  try {
    const end = await supervise(vm, qmp, { powerdownMs: POWERDOWN_MS, quitMs: QUIT_MS, onStop, say: (text) => note(`\rqlaunch: ${text}`) });
    if (end.state === 'ended') return EXIT.ok;
    note(`qlaunch: ${vm.record.name}: ${end.reason ?? end.state}`);
    return EXIT.host;
  } finally {
    restore();
  }
}

function onStop(request: () => void): () => void {
  for (const signal of STOP_SIGNALS) process.on(signal, request);
  return () => {
    for (const signal of STOP_SIGNALS) process.off(signal, request);
  };
}
