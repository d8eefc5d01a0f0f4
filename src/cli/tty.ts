import { setTerminal, terminalSettings } from '../host/vm/tty.ts';

/** QEMU's stdio chardev sets the terminal to raw and cannot put it back when it is killed. Returns what does. */
export function keepTerminal(): () => void {
  const before = process.stdin.isTTY ? terminalSettings() : undefined;
  return () => {
    if (before !== undefined) setTerminal(before);
  };
}
