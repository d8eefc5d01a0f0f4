import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where answers that can be had again are kept. Nothing in it is trusted with a right. */
export function cacheDir(
  env: NodeJS.ProcessEnv = process.env,
  uid: number = process.getuid?.() ?? 0,
): string {
  if (env['QLAUNCH_CACHE_DIR']) return env['QLAUNCH_CACHE_DIR'];
  // Root's HOME may be the invoking user's (sudo -E): a file of root there would be in his way, and his in ours.
  if (uid === 0) return '/var/cache/qlaunch';
  const xdg = env['XDG_CACHE_HOME'];
  // XDG base directory specification: a relative path is to be ignored.
  return join(xdg?.startsWith('/') ? xdg : join(homedir(), '.cache'), 'qlaunch');
}
