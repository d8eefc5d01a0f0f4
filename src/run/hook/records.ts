/** The journals of the hooks, found by their file names: a hook must not read those of everybody else. */
import type { Engine } from '../engine.ts';
import { idOf } from '../journal/journal.ts';

/** What `qlaunch undo` takes: letters, digits and "-". What it is about stands in the title. */
export const plugPrefix = (ifname: string): string => `if-${ifname.replaceAll(/[^A-Za-z0-9]/g, '-')}-`;

export const plugTitle = (ifname: string): string => `qemu-ifup ${ifname}`;

/** Ids of changes that may be about this interface. */
export function plugIds(engine: Engine, ifname: string): readonly string[] {
  const prefix = plugPrefix(ifname);
  const ids = engine.stores.volatile.list().flatMap((name) => idOf(name) ?? []);
  return ids.filter((id) => id.startsWith(prefix) && /^[0-9a-f]{6}$/.test(id.slice(prefix.length)));
}
