/** The open changes that made a bridge what it is, by their titles. */
import type { Engine } from '../engine.ts';
import { openChanges } from '../recover.ts';

type Verb = 'create' | 'set' | 'add-port' | 'remove-port' | 'persist';

export interface BridgeChange {
  readonly id: string;
  readonly verb: Verb;
  readonly bridge: string;
  /** Of add-port and remove-port; of create: the uplink. */
  readonly port?: string;
  /** Of create with an uplink: the bridge got other addresses than that had. */
  readonly readdressed?: true;
}

const READDRESSED = 'readdressed';

/** "bridge create br0", "bridge create br0 --uplink enp3s0", "bridge add-port br0 tap7" */
export function titleOf(verb: Verb, bridge: string, port?: string, readdressed: boolean = false): string {
  const words =
    verb === 'create' && port !== undefined ? ['--uplink', port] : port === undefined ? [] : [port];
  return ['bridge', verb, bridge, ...words, ...(readdressed ? [`(${READDRESSED})`] : [])].join(' ');
}

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
    /^bridge (create|set|add-port|remove-port|persist) (\S+)(?: (?:--uplink )?(\S+))?(?: \((readdressed)\))?$/.exec(
      title,
    ) ?? [];
  if (verb === undefined || bridge === undefined) return undefined;
  const [port, other] = rest;
  return {
    ...{ verb: verb as Verb, bridge },
    ...(port === undefined ? {} : { port }),
    ...(other === READDRESSED ? { readdressed: true } : {}),
  };
}
