import type { BoardVm } from '../map/board.ts';
import type { Finding } from './finding.ts';

/** NICs with the same MAC get the same lease, and switches send their packets now here, now there. */
export function macFindings(vms: readonly BoardVm[]): readonly Finding[] {
  const id = 'mac';
  const users = new Map<string, string[]>();
  for (const vm of vms)
    for (const nic of vm.nics) users.set(nic.mac, [...(users.get(nic.mac) ?? []), `${vm.name} ${nic.id}`]);
  const shared = [...users].filter(([, who]) => who.length > 1);
  if (shared.length === 0) {
    const count = `${users.size} NIC${users.size === 1 ? '' : 's'}`;
    return [{ id, state: 'ok', fact: `${count} of running VMs, no MAC address twice` }];
  }
  return shared.map(([mac, who]) => ({
    id,
    about: mac,
    state: 'problem',
    fact: `${who.join(' and ')} have the same MAC address ${mac}`,
    cure: ['stop one of them, and start it without mac=: qlaunch then chooses one of its own'],
  }));
}
