/** `--net nat:NAME`: which bridge that is, and which networks have to be started first. */

import { natPlaces } from '../../host/nat/places.ts';
import type { Host } from '../../host/port.ts';
import type { Finding } from '../../host/qemu/finding.ts';
import type { Identity } from '../../host/vm/user.ts';
import type { LinkFact } from '../../plan/facts.ts';
import type { Socket } from '../../plan/nat/plug.ts';
import type { Step } from '../../plan/step.ts';
import type { VmSpec } from '../../spec/vm-spec.ts';
import type { Engine } from '../engine.ts';
import { lookAtNetworks } from '../nat/state.ts';
import { openEngine } from '../open-engine.ts';

/** A network that a start brings up. It stays when the VM ends. */
export interface NetworkStart {
  readonly name: string;
  /** Its bridge, as it will be there. */
  readonly link: LinkFact;
  readonly preview: readonly Step[];
  start(engine: Engine): Promise<void>;
}

export interface Networks {
  /** By the network's name. */
  readonly sockets: ReadonlyMap<string, Socket>;
  readonly starts: readonly NetworkStart[];
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
}

const NONE: Networks = { sockets: new Map(), starts: [], findings: [], notes: [] };

/** Errors of a definition: QL_NO_NETWORK, QL_NET_SPEC, QL_SUBNET_TAKEN. */
export async function networksOf(
  spec: VmSpec,
  who: Identity,
  host: Host,
  env: NodeJS.ProcessEnv,
): Promise<Networks> {
  const nets = spec.nets.filter((net) => net.mode === 'nat');
  if (nets.length === 0) return NONE;
  const active = await lookAtNetworks({ machine: host }, natPlaces(env));
  const sockets = new Map<string, Socket>();
  const starts: NetworkStart[] = [];
  const findings: Finding[] = [];
  const notes: string[] = [];
  const by = who.root ? 'tap' : 'helper';
  for (const { network: name, at, queues } of nets) {
    // One queue is all that the helper opens.
    if (by === 'helper' && queues > 1)
      findings.push({
        code: 'QL_NET_QUEUES',
        what: `${at}: queues=${queues} needs a tap, which only root may make`,
        why: ['QEMU’s bridge helper opens one queue'],
        todo: ['leave queues out', 'run it with sudo: QEMU itself still runs as you'],
      });
    if (sockets.has(name)) continue;
    const running = active.find((one) => one.name === name);
    if (running !== undefined) {
      sockets.set(name, { bridge: running.bridge, by });
      continue;
    }
    if (!who.root) {
      findings.push(notStarted(name, at, who));
      continue;
    }
    // Loads the XML library, which a network that runs does not need.
    const start = await (await import('./network-start.ts')).networkStart(
      openEngine({ tool: 'qlaunch', env }),
      env,
      name,
    );
    sockets.set(name, { bridge: start.link.ifname, by });
    starts.push(start);
    notes.push(`${at}: the network ${name} is started first, and stays: sudo qlaunch net stop ${name}`);
  }
  return { sockets, starts, findings, notes };
}

function notStarted(name: string, at: string, { user }: Identity): Finding {
  return {
    code: 'QL_NET_INACTIVE',
    what: `${at}: the network ${name} is not started`,
    why: ['only root may start it'],
    todo: [`sudo qlaunch net start ${name} --allow ${user.name}   # once; then you need no rights`],
  };
}
