/** This program, as root calls it. */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { shellWord } from '../plan/shell.ts';

/** Where sudo looks, whatever the caller's PATH is: secure_path in sudoers(5), as Debian sets it. */
const SECURE_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** "qlaunch" where sudo finds it, else its absolute path. */
export function nameForSudo(): string {
  if (SECURE_PATH.some((dir) => existsSync(join(dir, 'qlaunch')))) return 'qlaunch';
  // The standalone executable has its script inside itself, under a name that only it can open.
  if ('bun' in process.versions) return process.execPath;
  const beside = join(dirname(process.argv[1] ?? ''), 'qlaunch');
  return existsSync(beside) ? beside : process.execPath;
}

/** How something that knows neither our PATH nor our directory calls us again: absolute. */
export function ownArgv(): readonly [string, ...string[]] {
  const script = process.argv[1];
  return 'bun' in process.versions || script === undefined
    ? [process.execPath]
    : [process.execPath, realpathSync(script)];
}

const SUDO = /\bsudo qlaunch(?= )/g;

/** A text that may hold cures: they are written "sudo qlaunch …", and are to work where sudo would not find us. */
export function forSudo(text: string, name: () => string = nameForSudo): string {
  // Most texts hold none, and the search costs six looks at the disk.
  return text.search(SUDO) < 0
    ? text
    : text.replaceAll(SUDO, `sudo ${shellWord(name()).replaceAll('$', '$$$$')}`);
}
