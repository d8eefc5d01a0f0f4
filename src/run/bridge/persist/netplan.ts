/** netplan: a YAML file beside the others, from which it writes the files of networkd or NetworkManager at boot. */
import { netplanFilesNow } from '../../../host/bridge/persist/netplan.ts';
import { networkdLink } from '../../../host/bridge/persist/unit-files.ts';
import { netplanFiles } from '../../../plan/bridge/persist/netplan.ts';
import { netplanRuler } from '../../../plan/bridge/persist/netplan-entry.ts';
import { iaidOf } from '../../../plan/bridge/persist/networkd.ts';
import { cannotPersist } from '../../../plan/bridge/persist/wish.ts';
import type { Step } from '../../../plan/step.ts';
import { keepFiles, type Manager } from './back-end.ts';

const GENERATE = { run: ['netplan', 'generate'] } as const;
/** Python, and all of systemd's generators: on a small board, or a busy one, 10 s are not enough. */
const GENERATED_WITHIN_MS = 60_000;

export const netplan: Manager = {
  async claim(machine, nic) {
    const files = await netplanFilesNow(machine);
    if (nic === undefined) {
      const [first] = files;
      return first === undefined ? undefined : { live: false, why: `netplan reads ${first.path}` };
    }
    const ruler = netplanRuler(files, nic.name, nic.mac);
    if (ruler === undefined) return undefined;
    const { has, file } = await networkdLink(machine, nic.ifindex);
    return { live: has && /-netplan-/.test(file ?? ''), why: `netplan has ${nic.name} as ${ruler}` };
  },

  async steps(machine, wish, nic) {
    if ((await machine.which('netplan')) === undefined)
      throw cannotPersist(wish.name, ['netplan is not installed'], ['sudo apt install netplan.io']);
    const { lease } = nic === undefined ? {} : await networkdLink(machine, nic.ifindex);
    const iaid = lease === undefined ? undefined : iaidOf(lease);
    const files = netplanFiles(wish, {
      files: await netplanFilesNow(machine),
      ...(iaid === undefined ? {} : { iaid }),
    });
    const step = (title: string, undo: Step['undo']): Step => ({
      ...{ title, do: GENERATE, undo, deadlineMs: GENERATED_WITHIN_MS, durable: true },
    });
    return [
      // Taken back last: what it makes of the files is then what it made of them before.
      step('see that netplan reads what is there', { ...GENERATE, gone: [] }),
      ...(await keepFiles(machine, files)),
      step('let netplan read what was written', { nothing: 'it is done again when the files are gone' }),
    ];
  },
};
