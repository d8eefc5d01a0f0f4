/** qlaunch bridge create BR --uplink NIC. */
import { EXIT } from '../../errors.ts';
import type { Readdress } from '../../plan/bridge/readdress.ts';
import { leastTrialS, type Trial, USUAL_TRIAL_S } from '../../plan/bridge/trial.ts';
import { planJson } from '../../plan/render.ts';
import { ipForwardReport } from '../../run/bridge/ip-forward.ts';
import { createUplink, type Moved, type UplinkBridge, uplinkPlan } from '../../run/bridge/uplink.ts';
import { parseHostAddress } from '../../spec/bridge/address.ts';
import { readSettings } from '../../spec/bridge/settings.ts';
import { parseTrial } from '../../spec/bridge/time.ts';
import { parseIfName } from '../../spec/ifname.ts';
import type { Gathering } from '../../spec/raw.ts';
import { requireRoot } from '../root.ts';
import { advise, json, out } from '../terminal.ts';
import { type CreateOptions, checked, engineNow, planText, ROOTS, readPersist } from './made.ts';

export async function create(name: string, uplink: string, options: CreateOptions): Promise<number> {
  const { wish, trial } = checked('cannot make this bridge', (gathering) => {
    gathering.take(parseIfName(name, 'NAME'));
    gathering.take(parseIfName(uplink, '--uplink'));
    if (name === uplink)
      gathering.refuse('NAME', `${name} is the uplink: the bridge needs a name of its own`);
    const readdress = readReaddress(options, gathering);
    const settings = readSettings(options, gathering);
    const text = options.confirm;
    const typed =
      text === false || text === undefined ? undefined : gathering.take(parseTrial(text, '--confirm'));
    const trial: Trial | undefined = text === false ? undefined : (typed ?? 'usual');
    const leastS = leastTrialS(settings, 0);
    if (typed !== undefined && typed < leastS)
      gathering.refuse('--confirm', `with STP the port may be silent that long`, `write ${leastS}s or more`);
    return {
      wish: {
        ...{ name, uplink, force: options.force === true },
        ...readPersist(options, gathering),
        ...settings,
        ...(readdress === undefined ? {} : { readdress }),
      },
      trial,
    };
  });
  const engine = engineNow();
  const forward = await ipForwardReport(engine, name, wish);
  if (options.dryRun === true) {
    const { plan, identity } = await uplinkPlan(engine, wish, trial);
    if (options.json === true) json(planJson(plan));
    else
      out([...[...identity, ...forward].map((one) => `# ${one}`), await planText(engine, plan)].join('\n'));
    return EXIT.ok;
  }
  requireRoot(ROOTS);
  const moved = await createUplink(engine, wish, trial);
  if (options.json === true)
    json({ change: moved.id, confirmWithinS: moved.trialS ?? null, ...moved.proven });
  else advise([...told(wish, moved, trial), ...forward.map((one) => `  note     ${one}`)].join('\n'));
  return EXIT.ok;
}

/** What the bridge is to have instead of the NIC's addresses; undefined: those. */
function readReaddress({ keep, dhcp, address }: CreateOptions, gathering: Gathering): Readdress | undefined {
  const said = [
    ...(keep === true ? ['--keep'] : []),
    ...(dhcp === true ? ['--dhcp'] : []),
    ...(address === undefined ? [] : ['--address']),
  ];
  if (said.length > 1)
    gathering.refuse(said.slice(1).join(', '), `the bridge has its addresses from ${said[0]} already`);
  const addresses = (address ?? []).flatMap(
    (text) => gathering.take(parseHostAddress(text, '--address')) ?? [],
  );
  if (dhcp !== true && address === undefined) return undefined;
  return { addresses, dhcp: dhcp === true };
}

function told(
  { name, uplink, readdress }: UplinkBridge,
  { id, trialS, proven, lost, vlans, identity }: Moved,
  trial: Trial | undefined,
): string[] {
  const { gateways, dns, peer } = proven;
  return [
    readdress === undefined
      ? `${name} is there with all that was on ${uplink}, which is its port now`
      : `${name} is there with addresses of its own, and ${uplink} is its port now`,
    ...lost.map((route) => `  gone     the route ${route}, which has no way from the new addresses`),
    ...vlans.map(
      (vlan) => `  note     ${vlan} goes on as before, so that guests do not get its VLAN on ${name}`,
    ),
    ...identity.map((one) => `  note     ${one}`),
    ...gateways.map((gateway) => `  proven   the gateway ${gateway} answers over ${name}`),
    ...dns.map((server) => `  proven   the name server ${server} answers as before`),
    ...(peer === undefined ? [] : [`  proven   the way to your session (${peer}) leads over ${name}`]),
    ...(trial === 'usual' && trialS !== undefined && trialS > USUAL_TRIAL_S
      ? [
          `  note     the trial is ${trialS} s: ${uplink} may be silent, or a network manager at it, for most of it`,
        ]
      : []),
    ...(trialS === undefined
      ? [`  undo     sudo qlaunch bridge delete ${name}   # change ${id}`]
      : [
          `  keep it  sudo qlaunch bridge confirm ${name}   # within ${trialS} s, or all is put back by itself`,
          `  undo     sudo qlaunch bridge revert ${name}`,
        ]),
  ];
}
