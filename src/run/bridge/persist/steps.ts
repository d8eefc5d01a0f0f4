/** What makes a bridge again at boot. Written only when the bridge is confirmed, and gone when it is deleted. */
import type { Machine } from '../../../host/port.ts';
import { type Claim, chooseBackEnd } from '../../../plan/bridge/persist/choose.ts';
import type { PersistWish } from '../../../plan/bridge/persist/wish.ts';
import type { Step } from '../../../plan/step.ts';
import { BACK_ENDS, type BackEnd } from '../../../spec/bridge/back-end.ts';
import type { Manager, Nic } from './back-end.ts';
import { ifcfg } from './ifcfg.ts';
import { ifupdown } from './ifupdown.ts';
import { netplan } from './netplan.ts';
import { networkd } from './networkd.ts';
import { networkmanager } from './networkmanager.ts';

const MANAGERS: Readonly<Record<BackEnd, Manager>> = { ifupdown, networkd, netplan, networkmanager, ifcfg };

/** Throws QL_PERSIST (exit 3). @param asked undefined: whoever has the NIC */
export async function persistSteps(
  machine: Machine,
  wish: PersistWish,
  asked?: BackEnd,
): Promise<readonly Step[]> {
  const nic = wish.uplink === undefined ? undefined : await nicNamed(machine, wish.uplink, wish.mac);
  const backEnd = asked ?? chooseBackEnd(wish.name, wish.uplink, await claims(machine, nic));
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

async function nicNamed(machine: Machine, name: string, mac: string | undefined): Promise<Nic> {
  const ifindex = Number(await machine.read(`/sys/class/net/${name}/ifindex`));
  return { name, ifindex, ...(mac === undefined ? {} : { mac }) };
}
