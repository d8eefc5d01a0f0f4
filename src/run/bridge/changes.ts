/** The open changes that made a bridge what it is, by their titles. */
import type { Family } from '../../plan/bridge/persist/wish.ts';
import { familiesOf, type Readdress } from '../../plan/bridge/readdress.ts';
import type { Engine } from '../engine.ts';
import { openChanges } from '../recover.ts';

type Verb = 'create' | 'set' | 'add-port' | 'remove-port' | 'persist';

export interface BridgeChange {
  readonly id: string;
  readonly verb: Verb;
  readonly bridge: string;
  /** Of add-port and remove-port; of create: the uplink. */
  readonly port?: string;
  /** Of create with an uplink: the families of which the bridge got other addresses than that had. */
  readonly readdressed?: readonly Family[];
  /** … by a DHCP server. */
  readonly dhcp?: true;
}

/** "bridge create br0", "bridge create br0 --uplink enp3s0 (readdressed inet dhcp)", "bridge add-port br0 tap7" */
export function titleOf(verb: Verb, bridge: string, port?: string, readdress?: Readdress): string {
  const words =
    verb === 'create' && port !== undefined ? ['--uplink', port] : port === undefined ? [] : [port];
  const what = readdress === undefined ? [] : [...familiesOf(readdress), ...(readdress.dhcp ? ['dhcp'] : [])];
  return [
    'bridge',
    verb,
    bridge,
    ...words,
    ...(what.length > 0 ? [`(readdressed ${what.join(' ')})`] : []),
  ].join(' ');
}

const FAMILIES: readonly Family[] = ['inet', 'inet6'];

/** Newest first: the order of taking back. */
export function bridgeChanges(engine: Engine, bridge?: string): readonly BridgeChange[] {
  return [...openChanges(engine)].reverse().flatMap(({ change }) => {
    const found = readTitle(change.journal?.head.title ?? '');
    if (found === undefined || (bridge !== undefined && found.bridge !== bridge)) return [];
    return [{ id: change.id, ...found }];
  });
}

function readTitle(title: string): Omit<BridgeChange, 'id'> | undefined {
  const [, verb, bridge, ...rest] =
    /^bridge (create|set|add-port|remove-port|persist) (\S+)(?: (?:--uplink )?(\S+))?(?: \((readdressed[ a-z0-9]*)\))?$/.exec(
      title,
    ) ?? [];
  if (verb === undefined || bridge === undefined) return undefined;
  const [port, other] = rest;
  const said = other?.split(' ').slice(1);
  // A journal of an older version does not say which.
  const families = FAMILIES.filter((family) => said?.length === 0 || said?.includes(family));
  return {
    ...{ verb: verb as Verb, bridge },
    ...(port === undefined ? {} : { port }),
    ...(said === undefined ? {} : { readdressed: families }),
    ...(said?.includes('dhcp') === true ? { dhcp: true } : {}),
  };
}
