/** The settings of our terminal, as stty(1) writes and reads them. */
import { spawnSync } from 'node:child_process';

/** undefined when stdin is not a terminal. */
export function terminalSettings(): string | undefined {
  const { status, stdout } = spawnSync('stty', ['-g'], {
    stdio: ['inherit', 'pipe', 'ignore'],
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : undefined;
}

export function setTerminal(settings: string): void {
  spawnSync('stty', [settings], { stdio: ['inherit', 'ignore', 'ignore'] });
}
