/** What makes a bridge again at boot. Written only when the bridge is confirmed, and gone when it is deleted. */
import { ifindexOf } from '../../../host/bridge/ifindex.ts';
import type { Machine } from '../../../host/port.ts';
import { type Claim, chooseBackEnd, refuseOther } from '../../../plan/bridge/persist/choose.ts';
import { cannotPersist, type PersistWish } from '../../../plan/bridge/persist/wish.ts';
import type { Step } from '../../../plan/step.ts';
import { BACK_ENDS, type BackEnd } from '../../../spec/bridge/back-end.ts';
import type { Manager, Nic } from './back-end.ts';
import { ifcfg } from './ifcfg.ts';
import { ifupdown } from './ifupdown.ts';
import { netplan } from './netplan.ts';
import { networkd } from './networkd.ts';
import { networkmanager } from './networkmanager.ts';

const MANAGERS: Readonly<Record<BackEnd, Manager>> = { ifupdown, networkd, netplan, networkmanager, ifcfg };

/** Whoever has the NIC; without one, whoever brings up links of this host. Throws QL_PERSIST (exit 3). */
export async function chosenBackEnd(machine: Machine, wish: PersistWish): Promise<BackEnd> {
  const nic = await nicOf(machine, wish);
  return chooseBackEnd(wish.name, wish.uplink, await claims(machine, nic));
}

/** Throws QL_PERSIST (exit 3). @param asked undefined: the chosen one */
export async function persistSteps(
  machine: Machine,
  wish: PersistWish,
  asked?: BackEnd,
): Promise<readonly Step[]> {
  const backEnd = asked ?? (await chosenBackEnd(machine, wish));
  const nic = await nicOf(machine, wish);
  if (nic !== undefined) refuseOther(wish.name, nic.name, backEnd, await claims(machine, nic));
  if (wish.physdev === true || wish.bridgeNf === 'accept') await refuseRule(machine, wish, backEnd);
  return MANAGERS[backEnd].steps(machine, wish, nic);
}

async function claims(machine: Machine, nic: Nic | undefined): Promise<readonly Claim[]> {
  const found: Claim[] = [];
  for (const backEnd of BACK_ENDS) {
    const claim = await MANAGERS[backEnd].claim(machine, nic);
    if (claim !== undefined) found.push({ backEnd, ...claim });
  }
  return found;
}

/** Why a rule of the firewall has no place beside the bridge. */
const NO_HOOK: Readonly<Record<Exclude<BackEnd, 'ifupdown'>, string>> = {
  networkd: 'systemd-networkd runs no commands when a link comes up',
  netplan: 'netplan has no hooks of its own',
  networkmanager:
    'a profile of NetworkManager runs no commands, and scripts of its dispatcher are run for all links',
  ifcfg: 'the network scripts run one script for all links (/sbin/ifup-local)',
};

async function refuseRule(machine: Machine, wish: PersistWish, backEnd: BackEnd): Promise<void> {
  const { name, physdev } = wish;
  const option = physdev === true ? '--physdev' : '--bridge-nf accept';
  if (backEnd !== 'ifupdown')
    throw cannotPersist(
      name,
      [`${backEnd} has no place for the rule that lets frames between ports pass: ${NO_HOOK[backEnd]}`],
      [
        `the same command without ${option}`,
        `sudo qlaunch bridge set ${name} --bridge-nf accept   # after each boot`,
      ],
    );
  if ((await machine.which('iptables')) === undefined)
    throw cannotPersist(
      name,
      [`${option} at boot is a rule of iptables, which is not installed`],
      ['sudo apt install iptables'],
    );
}

async function nicOf(machine: Machine, { uplink: name, mac }: PersistWish): Promise<Nic | undefined> {
  if (name === undefined) return undefined;
  const ifindex = (await ifindexOf(machine, name)) ?? Number.NaN;
  return { name, ifindex, ...(mac === undefined ? {} : { mac }) };
}
