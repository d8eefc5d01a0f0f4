/** The terminal while a guest's serial line is on it. QEMU's stdio chardev sets it to raw. */
import { setTerminal, terminalSettings } from '../host/vm/tty.ts';

export interface KeptTerminal {
  /**
   * From now on Ctrl-Z stops QEMU too, until `fg`: in a session of its own it does not hear the key, and would read what
   * is typed to the shell. `signal` sends to it.
   */
  suspendWith(signal: (name: 'SIGSTOP' | 'SIGCONT') => void): void;
  /** QEMU cannot put it back when it is killed. */
  restore(): Promise<void>;
}

/** undefined when our input is no terminal: there is nothing to keep then. */
export async function keepTerminal(): Promise<KeptTerminal | undefined> {
  const before = process.stdin.isTTY ? await terminalSettings() : undefined;
  if (before === undefined) return undefined;
  let forget = (): void => undefined;
  return {
    suspendWith(signal) {
      forget = onSuspend(before, signal);
    },
    async restore() {
      forget();
      await setTerminal(before);
    },
  };
}

function onSuspend(before: string, signal: (name: 'SIGSTOP' | 'SIGCONT') => void): () => void {
  let raw: string | undefined;
  const suspend = async (): Promise<void> => {
    signal('SIGSTOP');
    raw = await terminalSettings();
    await setTerminal(before);
    process.kill(process.pid, 'SIGSTOP');
  };
  const goOn = async (): Promise<void> => {
    // In the background this stops us again, until we are in front.
    if (raw !== undefined) await setTerminal(raw);
    signal('SIGCONT');
  };
  // A QEMU that has just ended hears no signal, and we are about to end as well.
  const quietly = (work: Promise<void>): void => void work.catch(() => undefined);
  const [suspended, continued] = [(): void => quietly(suspend()), (): void => quietly(goOn())];
  process.on('SIGTSTP', suspended).on('SIGCONT', continued);
  return () => void process.off('SIGTSTP', suspended).off('SIGCONT', continued);
}
