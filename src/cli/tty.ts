import { setTerminal, terminalSettings } from '../host/vm/tty.ts';

/** QEMU's stdio chardev sets the terminal to raw and cannot put it back when it is killed. Returns what does. */
export async function keepTerminal(): Promise<() => Promise<void>> {
  const before = process.stdin.isTTY ? await terminalSettings() : undefined;
  return async () => {
    if (before !== undefined) await setTerminal(before);
  };
}
