/** The bridges of this host, with their ports. */
import { readFacts } from '../../host/facts.ts';
import type { LinkFact } from '../../plan/facts.ts';
import { isOwnerMark } from '../../plan/owner.ts';
import type { Engine } from '../engine.ts';
import { bridgeChanges } from './changes.ts';

/** As `qlaunch bridge show --json` prints it. */
export interface BridgeRow {
  readonly name: string;
  readonly up: boolean;
  readonly mac: string;
  readonly mtu: number;
  readonly stp: boolean;
  readonly delayS: number;
  readonly vlanAware: boolean;
  readonly addresses: readonly string[];
  readonly ports: readonly PortRow[];
  /** Ids of the changes that `qlaunch bridge` made, newest first. */
  readonly changes: readonly string[];
  /** Made by qlaunch, by whatever command. */
  readonly ours: boolean;
}

interface PortRow {
  readonly name: string;
  readonly kind: string;
  /** "forwarding", "learning", "listening", "blocking", "disabled"; dmesg's "entered forwarding state". */
  readonly state: string;
  /** It takes frames for guests too; dmesg's "entered promiscuous mode". */
  readonly promiscuous: boolean;
}

export async function listBridges(engine: Engine): Promise<readonly BridgeRow[]> {
  const { links } = await readFacts(engine.machine, engine.newToken());
  return links.filter(({ kind }) => kind === 'bridge').map((link) => rowOf(engine, link, links));
}

function rowOf(engine: Engine, link: LinkFact, links: readonly LinkFact[]): BridgeRow {
  const { ifname: name, bridge } = link;
  return {
    name,
    up: link.flags.includes('UP'),
    mac: link.address ?? '',
    mtu: link.mtu,
    stp: bridge?.stp === true,
    delayS: (bridge?.forwardDelayMs ?? 0) / 1000,
    vlanAware: bridge?.vlanFiltering === true,
    addresses: link.addresses.map(({ local, prefixlen }) => `${local}/${prefixlen}`),
    ports: links
      .filter(({ master }) => master === name)
      .map(({ ifname, kind, portState, promiscuous }) => ({
        name: ifname,
        kind: kind ?? 'device',
        state: portState ?? 'unknown',
        promiscuous: promiscuous === true,
      })),
    changes: bridgeChanges(engine, name).map(({ id }) => id),
    ours: isOwnerMark(link.ifalias),
  };
}
