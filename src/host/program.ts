/** This program, as root calls it. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where sudo looks, whatever the caller's PATH is: secure_path in sudoers(5), as Debian sets it. */
const SECURE_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** "qlaunch" where sudo finds it, else its absolute path. */
export function nameForSudo(): string {
  if (SECURE_PATH.some((dir) => existsSync(join(dir, 'qlaunch')))) return 'qlaunch';
  const beside = join(dirname(process.argv[1] ?? ''), 'qlaunch');
  // The standalone executable has its script inside itself.
  return existsSync(beside) ? beside : process.execPath;
}
