/** What keeps a user from a file. */
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { asUser, type Identity } from '../vm/user.ts';

/** The first directory on the way that this user may not pass through; undefined when there is none. */
export function barrier(path: string, user: Identity): string | undefined {
  const above: string[] = [];
  for (let at = resolve(path); at !== '/'; at = dirname(at)) above.unshift(at);
  return asUser(user, () => {
    const beyond = above.find(isHidden);
    return beyond === undefined ? undefined : dirname(beyond);
  });
}

function isHidden(path: string): boolean {
  try {
    statSync(path);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}
