/** Users and groups by number and by name; what the files do not have, getent(1) is asked for (NSS). */
import { readFileSync } from 'node:fs';

type Table = 'passwd' | 'group';

export const userName = (uid: number): string => lookUp('passwd', String(uid), 2)?.[0] ?? String(uid);
export const groupName = (gid: number): string => lookUp('group', String(gid), 2)?.[0] ?? String(gid);

export function groupId(name: string): number | undefined {
  const id = lookUp('group', name, 0)?.[2];
  return id === undefined ? undefined : Number(id);
}

/** By the group's list of members, or as the user's own group. */
export function isMember(user: { readonly uid: number; readonly gid: number }, group: string): boolean {
  const row = lookUp('group', group, 0);
  if (row === undefined) return false;
  return Number(row[2]) === user.gid || row[3]?.split(',').includes(userName(user.uid)) === true;
}

/** passwd(5) and group(5): the name is field 0, the number field 2. */
function lookUp(table: Table, key: string, field: 0 | 2): readonly string[] | undefined {
  const rows = contentOf(table)
    .split('\n')
    .map((line) => line.split(':'));
  return rows.find((row) => row[field] === key) ?? askNss(table, key);
}

function contentOf(table: Table): string {
  try {
    return readFileSync(`/etc/${table}`, 'utf8');
  } catch {
    return '';
  }
}

function askNss(table: Table, key: string): readonly string[] | undefined {
  // It would be taken for an option.
  if (key === '' || key.startsWith('-')) return undefined;
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const { status, stdout } = spawnSync('getent', [table, key], { encoding: 'utf8', timeout: 10_000 });
  return status === 0 ? stdout.trimEnd().split(':') : undefined;
}
