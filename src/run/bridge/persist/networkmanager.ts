/** NetworkManager: profiles, which it reads at boot or at `nmcli connection reload`; loading one would bring it up. */
import { ifindexOf } from '../../../host/bridge/ifindex.ts';
import {
  hasNetworkManager,
  keyfilesNow,
  type NmLink,
  nmLink,
} from '../../../host/bridge/persist/keyfiles.ts';
import type { Machine } from '../../../host/port.ts';
import { keyfileFiles } from '../../../plan/bridge/persist/keyfile.ts';
import { keyfileRuler } from '../../../plan/bridge/persist/keyfile-profile.ts';
import { cannotPersist } from '../../../plan/bridge/persist/wish.ts';
import { keepFiles, type Manager, type Nic } from './back-end.ts';

const isNetplans = (path: string): boolean => /\/netplan-[^/]*$/.test(path);

export const networkmanager: Manager = {
  async claim(machine, nic) {
    if (!(await hasNetworkManager(machine))) return undefined;
    if (nic === undefined) return { live: false, why: 'NetworkManager is started at boot' };
    const files = await keyfilesNow(machine);
    const { has, uuid } = await nmLink(machine, nic.ifindex);
    const live = has && uuid !== undefined ? files.find(({ content }) => content.includes(uuid)) : undefined;
    const path = live?.path ?? keyfileRuler(files, nic.name, nic.mac);
    if (path === undefined || isNetplans(path)) return undefined;
    return { live: live !== undefined, why: `NetworkManager has ${nic.name} by ${path}` };
  },

  async steps(machine, wish, nic) {
    if (!(await hasNetworkManager(machine)))
      throw cannotPersist(
        wish.name,
        ['NetworkManager is not started at boot'],
        ['sudo systemctl enable NetworkManager   # where nothing else brings links up'],
      );
    const { has, uuid, clientId, iaid6 } =
      nic === undefined ? { has: false } : await identityOf(machine, nic, wish.name);
    const files = keyfileFiles(wish, {
      files: await keyfilesNow(machine),
      ...(has && uuid !== undefined ? { ruling: uuid } : {}),
      ...(clientId === undefined ? {} : { clientId }),
      ...(iaid6 === undefined ? {} : { iaid6 }),
    });
    return keepFiles(machine, files);
  },
};

/** Of a NIC whose bridge was handed over, the bridge has the leases. */
async function identityOf(machine: Machine, nic: Nic, bridge: string): Promise<NmLink> {
  const link = await nmLink(machine, nic.ifindex);
  const index = await ifindexOf(machine, bridge);
  if (index === undefined) return link;
  const { clientId, iaid6 } = await nmLink(machine, index);
  return {
    ...(clientId === undefined ? {} : { clientId }),
    ...(iaid6 === undefined ? {} : { iaid6 }),
    ...link,
  };
}
