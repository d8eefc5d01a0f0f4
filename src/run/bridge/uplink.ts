/** `qlaunch bridge create BR --uplink NIC`: on trial, proven, and taken back by itself unless it is confirmed. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { foreignRules } from '../../host/bridge/rules.ts';
import { sshSession } from '../../host/bridge/session.ts';
import { readUplink } from '../../host/bridge/uplink.ts';
import { withRadio } from '../../host/bridge/wireless.ts';
import { readFacts } from '../../host/facts.ts';
import { DHCP_PROGRAMS, RESOLV_CONF } from '../../plan/bridge/dhcp.ts';
import { backText } from '../../plan/bridge/handover/networkd.ts';
import { leasedAsIn, lookTitle, lookTitles, missingText } from '../../plan/bridge/handover/steps.ts';
import { modelToBe } from '../../plan/bridge/persist/model.ts';
import { linkOf } from '../../plan/bridge/port.ts';
import { type Readdress, readdressed } from '../../plan/bridge/readdress.ts';
import { refuseAsPort } from '../../plan/bridge/refuse.ts';
import { learnArgv, learntDefaults, relearnTitle } from '../../plan/bridge/router.ts';
import type { Rule } from '../../plan/bridge/rule.ts';
import { leastTrialS, type Trial, trialFor } from '../../plan/bridge/trial.ts';
import {
  clientsHandedOver,
  moveTitle,
  planUplink,
  type UplinkFacts,
  wayBackText,
} from '../../plan/bridge/uplink.ts';
import { type HostFacts, linkNamed } from '../../plan/facts.ts';
import { renderByHand } from '../../plan/render-undo.ts';
import type { Plan } from '../../plan/step.ts';
import type { SettledOf } from '../../plan/undo.ts';
import type { BackEnd } from '../../spec/bridge/back-end.ts';
import type { BridgeSettings } from '../../spec/bridge/settings.ts';
import { execute, newId } from '../change/execute.ts';
import { applyOnTrial, revertChange } from '../confirm/confirm.ts';
import type { Engine } from '../engine.ts';
import { loadChange } from '../journal/load.ts';
import { undoChange } from '../recover.ts';
import { type BridgeChange, titleOf } from './changes.ts';
import { refuseBusy, refuseCutOff } from './checks.ts';
import { heldBy } from './handover/holder.ts';
import { hostSteps } from './made.ts';
import { identityToBe } from './persist/identity.ts';
import { persistSteps } from './persist/steps.ts';
import { type Before, clientsMissing, disproof, leaseMissing, lookBefore } from './proof.ts';
import { rememberResolvConf, sumOfResolvConf } from './resolv-conf.ts';

export interface UplinkBridge extends BridgeSettings {
  readonly name: string;
  readonly uplink: string;
  /** Also where a failure could not be put back. */
  readonly force: boolean;
  /** Also at every boot; true: by the network manager that has the NIC. */
  readonly persist?: BackEnd | true;
  /** Absent: all addresses stay as they are. */
  readonly readdress?: Readdress;
  readonly physdev?: boolean;
}

export interface Moved {
  readonly id: string;
  /** So long it is on trial. */
  readonly trialS?: number;
  /** What was asked again over the bridge, and answered. */
  readonly proven: Before;
  /** Routes that have no way from the new addresses. */
  readonly lost: readonly string[];
  /** VLANs made on the NIC: they take their frames before the bridge sees them. */
  readonly vlans: readonly string[];
  /** With --persist: addresses that will be others after the next boot. */
  readonly identity: readonly string[];
}

interface Looked {
  readonly trialS: number | undefined;
  readonly plan: Plan<HostFacts>;
  readonly facts: UplinkFacts;
  /** What the bridge will have; of `--dhcp` only what is known before. */
  readonly arriving: UplinkFacts;
  readonly lost: readonly string[];
  readonly vlans: readonly string[];
  readonly identity: readonly string[];
  /** A network manager has it: who asks for a lease is its business. */
  readonly isHeld: boolean;
}

/** For --dry-run: all checks, and the steps. Errors: as createUplink(), before anything is touched. */
export async function uplinkPlan(
  engine: Engine,
  wish: UplinkBridge,
  trial?: Trial,
): Promise<Pick<Looked, 'plan' | 'identity'>> {
  return look(engine, wish, trial, 'dry-run', await readFacts(engine.machine, engine.newToken()));
}

async function look(
  engine: Engine,
  wish: UplinkBridge,
  trial: Trial | undefined,
  id: string,
  links: HostFacts,
): Promise<Looked> {
  const found = await withRadio(engine.machine, links, wish.uplink);
  const nic = linkOf(found, wish.uplink);
  refuseAsPort(nic, found);
  const { readdress } = wish;
  const facts = await withDhcp(engine, await readUplink(engine.machine, wish.uplink), readdress);
  const { handover, objections } = await heldBy(engine.machine, wish, nic, facts);
  await refuseBusy(engine.machine, nic, facts, wish, objections);
  const withinS = handover?.withinS ?? 0;
  const trialS = trialFor(nic.ifname, trial, leastTrialS(wish, withinS), withinS);
  const { layer, lost } =
    readdress === undefined ? { layer: facts, lost: [] } : readdressed(facts, readdress);
  if (readdress !== undefined && !wish.force) refuseCutOff(wish, facts, layer);
  // Who has the link tells systemd-resolved about it as well.
  const moving = handover === undefined ? facts : { ...facts, resolved: [] };
  const plan = planUplink({ ...wish, lifetime: { untilUndone: id } }, found, moving, handover);
  const mac = nic.address === undefined ? {} : { mac: nic.address };
  const { persist } = wish;
  const kept =
    persist === undefined
      ? []
      : await persistSteps(
          engine.machine,
          { ...wish, ...mac, ...modelToBe(facts, layer, readdress) },
          persist === true ? undefined : persist,
        );
  const vlans = found.links.flatMap(({ ifname, lower, kind }) =>
    kind === 'vlan' && lower === wish.uplink ? [ifname] : [],
  );
  const filtered = await hostSteps(engine, wish, found, { untilUndone: id });
  return {
    plan: { steps: [...plan.steps, ...filtered, ...kept] },
    trialS,
    facts,
    arriving: { ...facts, ...layer },
    lost,
    vlans,
    isHeld: handover !== undefined,
    identity: persist === undefined ? [] : await identityToBe(engine.machine, layer, wish.name, wish.uplink),
  };
}

async function withDhcp(
  engine: Engine,
  facts: UplinkFacts,
  readdress: Readdress | undefined,
): Promise<UplinkFacts> {
  if (readdress?.dhcp !== true) return facts;
  const file = await engine.machine.capture(RESOLV_CONF);
  const isText = file !== undefined && 'content' in file && file.base64 === undefined;
  const found = isText ? { ...facts, resolvConf: file } : facts;
  for (const program of DHCP_PROGRAMS)
    if ((await engine.machine.which(program)) !== undefined) return { ...found, dhcpProgram: program };
  return found;
}

/**
 * Errors: QL_USAGE (exit 2: on trial for too short a time), QL_LINK_EXISTS, QL_NO_LINK, QL_NOT_A_PORT, QL_UPLINK_BUSY, QL_CANNOT_MOVE, QL_PERSIST (exit 3, nothing touched);
 * QL_NOT_PROVEN (exit 4), QL_STEP_REFUSED: all is put back.
 * @param trial until it is taken back; undefined: it stays
 */
export async function createUplink(engine: Engine, wish: UplinkBridge, trial?: Trial): Promise<Moved> {
  const id = newId(engine);
  const title = titleOf('create', wish.name, wish.uplink, wish.readdress);
  const order = { title, lifetime: { untilUndone: id }, holder: 'until-undone', id } as const;
  let before: Before = { gateways: [], dns: [] };
  let clients: readonly string[] = [];
  const sum = await sumOfResolvConf(engine);
  let trialS = 0;
  let told: Pick<Moved, 'lost' | 'vlans' | 'identity'> = { lost: [], vlans: [], identity: [] };
  const plan = async (links: HostFacts): Promise<Plan<HostFacts>> => {
    const looked = await look(engine, wish, trial, id, links);
    trialS = looked.trialS ?? 0;
    clients = clientsOn(looked, wish.readdress);
    told = { lost: looked.lost, vlans: looked.vlans, identity: looked.identity };
    before = await lookBefore(engine.machine, looked.arriving, sshSession()?.peer);
    // A server, or another network, may mean other ones.
    if (wish.readdress?.dhcp === true || looked.lost.length > 0) before = { ...before, dns: [] };
    return looked.plan;
  };
  if (trial === undefined)
    await engine.locked(title, async () => {
      const links = await readFacts(engine.machine, engine.newToken());
      await execute(engine, await plan(links), order);
    });
  else await applyOnTrial(engine, order, () => trialS, plan);
  const wrong = [
    ...(wish.readdress?.dhcp === true ? await leaseMissing(engine.machine, wish.name) : []),
    ...(await disproof(engine.machine, before, wish.name, wish.uplink)),
    ...(await clientsMissing(clients, wish.name)),
  ];
  if (wrong.length === 0) {
    if (wish.readdress?.dhcp === true && clients.length > 0) await rememberResolvConf(engine, id, sum);
    const { elsewhere: _, ...proven } = before;
    return { id, proven, ...told, ...(trial === undefined ? {} : { trialS }) };
  }
  const { left } = await (trial === undefined ? undoChange(engine, id) : revertChange(engine, id));
  throw new QlaunchError('QL_NOT_PROVEN', left.length > 0 ? EXIT.leftovers : EXIT.host, {
    what: `${wish.name} did not do what ${wish.uplink} did`,
    why: [...wrong, left.length === 0 ? 'all is as it was before' : 'not all could be put back'],
    todo: left.map(({ byHand }) => byHand),
  });
}

/** Those that have to run on the bridge. */
function clientsOn({ facts, arriving, isHeld }: Looked, readdress: Readdress | undefined): readonly string[] {
  const running = clientsHandedOver(facts, arriving, readdress).map(({ program }) => program);
  if (readdress?.dhcp !== true || running.length > 0 || isHeld) return running;
  return facts.dhcpProgram === undefined ? [] : [facts.dhcpProgram];
}

/** NetworkManager takes no rule but its own. */
function givenBack(title: string, now: UplinkFacts, rules: readonly Rule[], port: string): string {
  if (title !== lookTitle('systemd-networkd', port)) return missingText(now, port);
  return backText(now, port, { rules, routes: now.routes }, now.leased);
}

/**
 * The way back is of what is on the bridge now: leases were renewed and addresses given since it was made. Left as it
 * was where the bridge is gone. Under the journal's rules: what is written is what will be run.
 */
export async function refreshWayBack(
  engine: Engine,
  { id, bridge, port, readdressed: other }: BridgeChange,
): Promise<void> {
  // What the bridge has never was the NIC's.
  if (port === undefined || other !== undefined) return;
  await engine.locked(`look at ${bridge}`, async () => {
    const links = await readFacts(engine.machine, engine.newToken());
    const { journal } = loadChange(engine.stores, engine.world, id);
    const isThere = linkNamed(links, bridge) !== undefined && linkNamed(links, port)?.master === bridge;
    if (!isThere || journal === undefined) return;
    const found = await readUplink(engine.machine, bridge);
    const handed = journal.open.find(({ title }) => lookTitles(port).includes(title))?.undo;
    const lines = handed !== undefined && 'run' in handed ? handed.stdin : undefined;
    const now = lines === undefined ? found : { ...found, ...leasedAsIn(lines, found, found.leased) };
    const rules = await foreignRules(engine.machine);
    const changed = journal.open.flatMap(
      ({ n, title, undo }): readonly { n: number; undo: SettledOf<'run'> }[] => {
        if (!('run' in undo)) return [];
        const wasUp = !(undo.stdin ?? '').includes(`link set dev ${port} down`);
        if (title === moveTitle(bridge, port))
          return [{ n, undo: { ...undo, stdin: wayBackText(port, now, wasUp, handed !== undefined) } }];
        if (lookTitles(port).includes(title))
          return [{ n, undo: { ...undo, stdin: givenBack(title, now, rules, port) } }];
        return title === relearnTitle(port)
          ? [{ n, undo: { ...undo, run: learnArgv(port, learntDefaults(now)) } }]
          : [];
      },
    );
    journal.change(changed.map((one) => ({ ...one, byHand: renderByHand(one.undo) })));
  });
}
