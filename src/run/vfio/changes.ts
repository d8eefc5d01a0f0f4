/** Which open changes hold which PCI functions: read from the journals, which say it themselves. */
import { renderLifetime } from '../../plan/lifetime.ts';
import type { SettledOf } from '../../plan/undo.ts';
import type { KnownNames } from '../../plan/vfio/select.ts';
import type { Engine } from '../engine.ts';
import { isOpen } from '../journal/entry.ts';
import type { Change } from '../journal/load.ts';
import { openChanges } from '../recover.ts';

export function rebindsIn(change: Change): readonly SettledOf<'rebind'>[] {
  const entries = change.journal?.entries ?? [];
  return entries.filter(isOpen).flatMap(({ undo }) => ('rebind' in undo ? [undo] : []));
}

/** Address → ids of changes, oldest first. */
export function changesOf(engine: Engine): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const { change } of openChanges(engine))
    for (const { rebind } of rebindsIn(change)) found.set(rebind, [...(found.get(rebind) ?? []), change.id]);
  return found;
}

/** The interface went away with the driver; people go on calling the device by its name. */
export function knownNames(engine: Engine): KnownNames {
  return new Map(
    openChanges(engine).flatMap(({ change }) =>
      rebindsIn(change).flatMap(({ rebind, netdevs }) => netdevs.map(({ name }) => [name, rebind] as const)),
    ),
  );
}

/** Address → who has taken it: 'the VM "web"', or "change 61ade0" of a `vfio bind`. */
export function takersOf(engine: Engine): ReadonlyMap<string, string> {
  return new Map(
    openChanges(engine).flatMap(({ change }) => {
      const lifetime = change.journal?.head.lifetime;
      const who =
        lifetime !== undefined && 'vm' in lifetime ? `the VM "${lifetime.vm}"` : `change ${change.id}`;
      return rebindsIn(change).map(({ rebind }) => [rebind, who] as const);
    }),
  );
}

/** The same of VMs alone, and of those that `isOther` (renderLifetime()) says. */
export function leasedTo(
  engine: Engine,
  isOther: (lifetime: string) => boolean,
): ReadonlyMap<string, string> {
  const held = openChanges(engine).flatMap(({ change }) => {
    const lifetime = change.journal?.head.lifetime;
    if (lifetime === undefined || !('vm' in lifetime) || !isOther(renderLifetime(lifetime))) return [];
    return rebindsIn(change).map(({ rebind }) => [rebind, `the VM "${lifetime.vm}"`] as const);
  });
  return new Map(held);
}
