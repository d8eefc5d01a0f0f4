/** `qlaunch bridge persist BR`: a bridge that is there, made at every boot as well from now on. */
import { readUplink } from '../../../host/bridge/uplink.ts';
import { readFacts } from '../../../host/facts.ts';
import { asked, insteadOf, modelOf } from '../../../plan/bridge/persist/model.ts';
import { ipScript } from '../../../plan/bridge/persist/none.ts';
import { cannotPersist, type Instead, type PersistWish } from '../../../plan/bridge/persist/wish.ts';
import type { UplinkFacts } from '../../../plan/bridge/uplink.ts';
import { type HostFacts, linkNamed } from '../../../plan/facts.ts';
import type { BackEnd } from '../../../spec/bridge/back-end.ts';
import { isOnTrial } from '../../confirm/arm.ts';
import type { Engine } from '../../engine.ts';
import { type BridgeChange, bridgeChanges, titleOf } from '../changes.ts';
import { type BridgeOrder, notMadeHere, order } from '../made.ts';
import { identityToBe } from './identity.ts';
import { chosenBackEnd, persistSteps } from './steps.ts';

export interface PersistOrder extends BridgeOrder {
  readonly backEnd: BackEnd;
  /** Addresses that will be others after the next boot. */
  readonly identity: readonly string[];
}

export interface PersistOptions {
  /** Absent: whoever has the NIC. */
  readonly backEnd?: BackEnd;
  readonly physdev?: boolean;
}

/** Errors: QL_NO_BRIDGE (exit 2), QL_BRIDGE_FOREIGN, QL_PERSIST (exit 3): nothing is touched. */
export async function persistOrder(
  engine: Engine,
  name: string,
  { backEnd: asked, physdev }: PersistOptions,
): Promise<PersistOrder> {
  const facts = await readFacts(engine.machine, engine.newToken());
  const { wish, now: found } = await wishNow(engine, name, facts);
  const identity = await identityToBe(engine.machine, found, name, wish.uplink);
  const backEnd = asked ?? (await chosenBackEnd(engine.machine, wish));
  const made = order(engine, titleOf('persist', name), async (links) => {
    const now = await wishNow(engine, name, links);
    const rules = physdev === true ? { physdev } : {};
    return { steps: await persistSteps(engine.machine, { ...now.wish, ...rules }, backEnd) };
  });
  return { ...made, backEnd, identity };
}

/** `--persist=none`: a script, and nothing is written. Errors as above. */
export async function persistScript(engine: Engine, name: string): Promise<string> {
  const facts = await readFacts(engine.machine, engine.newToken());
  const { wish, now } = await wishNow(engine, name, facts);
  return ipScript(wish, now);
}

async function wishNow(
  engine: Engine,
  name: string,
  facts: HostFacts,
): Promise<{ readonly wish: PersistWish; readonly now: UplinkFacts }> {
  const created = bridgeChanges(engine, name).find(({ verb }) => verb === 'create');
  const link = linkNamed(facts, name);
  if (created === undefined || link === undefined) throw notMadeHere(engine, name, facts);
  if (isOnTrial(engine, created.id))
    throw cannotPersist(
      name,
      ['it is not confirmed: it would be made at boot, and be taken back now'],
      [`sudo qlaunch bridge confirm ${name}`],
    );
  const now = await readUplink(engine.machine, name);
  const { port: uplink } = created;
  const nic = uplink === undefined ? undefined : linkNamed(facts, uplink);
  const wish: PersistWish = {
    name,
    ...(uplink === undefined ? {} : { uplink }),
    ...(nic?.address === undefined ? {} : { mac: nic.address }),
    ...(link.mtu === USUAL_MTU ? {} : { mtu: link.mtu }),
    stp: link.bridge?.stp === true,
    delayS: (link.bridge?.forwardDelayMs ?? 0) / 1000,
    vlanAware: link.bridge?.vlanFiltering === true,
    ...modelOf(now),
    ...(created.dhcp === true ? { dhcp4: true } : {}),
    ...(created.readdressed === undefined ? {} : { instead: insteadNow(now, created) }),
  };
  return { wish, now };
}

/** The lease of a client that says no lifetime looks like anybody's address. */
function insteadNow(now: UplinkFacts, { readdressed = [], dhcp }: BridgeChange): Instead {
  const found = insteadOf(now, readdressed);
  return dhcp === true ? asked(found) : found;
}

const USUAL_MTU = 1500;
