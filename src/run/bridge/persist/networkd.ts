/** systemd-networkd: files of our own, which it reads at boot, or at `networkctl reload`. */
import { hasNetworkd, networkdFilesNow, networkdLink } from '../../../host/bridge/persist/unit-files.ts';
import { iaidOf, networkdFiles, networkdRuler } from '../../../plan/bridge/persist/networkd.ts';
import { cannotPersist } from '../../../plan/bridge/persist/wish.ts';
import { keepFiles, type Manager } from './back-end.ts';

const isNetplans = (path: string): boolean => /-netplan-/.test(path);

export const networkd: Manager = {
  async claim(machine, nic) {
    if (!(await hasNetworkd(machine))) return undefined;
    const files = await networkdFilesNow(machine);
    if (nic === undefined) {
      const own = files.find(({ path }) => path.startsWith('/etc/') && path.endsWith('.network'));
      return own === undefined ? undefined : { live: false, why: `systemd-networkd reads ${own.path}` };
    }
    const { has, file } = await networkdLink(machine, nic.ifindex);
    const path = has && file !== undefined ? file : networkdRuler(files, nic.name, nic.mac);
    if (path === undefined || isNetplans(path)) return undefined;
    return { live: has, why: `systemd-networkd has ${nic.name} by ${path}` };
  },

  async steps(machine, wish, nic) {
    if (!(await hasNetworkd(machine)))
      throw cannotPersist(
        wish.name,
        ['systemd-networkd is not started at boot'],
        ['sudo systemctl enable systemd-networkd   # where nothing else brings links up'],
      );
    const { has, file, lease } =
      nic === undefined ? { has: false } : await networkdLink(machine, nic.ifindex);
    const iaid = lease === undefined ? undefined : iaidOf(lease);
    return keepFiles(
      machine,
      networkdFiles(wish, {
        files: await networkdFilesNow(machine),
        ...(has && file !== undefined ? { ruling: file } : {}),
        ...(iaid === undefined ? {} : { iaid }),
      }),
    );
  },
};
