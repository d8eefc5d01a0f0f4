/** ifcfg files: nobody looks at them until the next boot, or `nmcli connection load`. */
import { ifcfgFilesNow } from '../../../host/bridge/persist/ifcfg.ts';
import { ifcfgFiles, ifcfgRuler } from '../../../plan/bridge/persist/ifcfg.ts';
import { IFCFG_DIR } from '../../../plan/bridge/persist/model/ifcfg.ts';
import { cannotPersist } from '../../../plan/bridge/persist/wish.ts';
import { keepFiles, type Manager } from './back-end.ts';

export const ifcfg: Manager = {
  async claim(machine, nic) {
    const files = (await ifcfgFilesNow(machine, IFCFG_DIR)) ?? [];
    if (nic === undefined) {
      const own = files.find(({ path }) => /\/ifcfg-(?!lo$)/.test(path));
      return own === undefined ? undefined : { live: false, why: `the network scripts read ${own.path}` };
    }
    const path = ifcfgRuler(files, nic.name, nic.mac);
    return path === undefined ? undefined : { live: false, why: `${path} is for ${nic.name}` };
  },

  async steps(machine, wish) {
    const files = await ifcfgFilesNow(machine, IFCFG_DIR);
    if (files === undefined)
      throw cannotPersist(wish.name, [`this host has no ${IFCFG_DIR}`], ['qlaunch help bridge create']);
    const hasScripts = (await machine.stat(`${IFCFG_DIR}/ifup-eth`)) !== undefined;
    return keepFiles(machine, ifcfgFiles(wish, files, hasScripts ? 'scripts' : 'NetworkManager'));
  },
};
