/** ifupdown (Debian): /etc/network/interfaces, with what bridge-utils does for it. */
import { interfacesFiles } from '../../../host/bridge/persist/interfaces.ts';
import type { Machine } from '../../../host/port.ts';
import { ifupdownFiles, isConfigured } from '../../../plan/bridge/persist/ifupdown.ts';
import { cannotPersist } from '../../../plan/bridge/persist/wish.ts';
import { putFile } from '../../../plan/files.ts';
import { DEADLINE_MS, type FilePath, type Step } from '../../../plan/step.ts';
import { keepFiles, type Manager } from './back-end.ts';

const HOOK = '/etc/network/if-pre-up.d/bridge';
const STATE = '/run/network/ifstate';
const MAIN = '/etc/network/interfaces';

export const ifupdown: Manager = {
  async claim(machine, nic) {
    const files = await interfacesFiles(machine);
    if (nic === undefined)
      return files.length > 0 ? { live: false, why: `ifupdown reads ${MAIN}` } : undefined;
    if (!isConfigured(files, nic.name)) return undefined;
    const state = ((await machine.read(STATE)) ?? '').split('\n');
    return { live: state.includes(`${nic.name}=${nic.name}`), why: `ifupdown has ${nic.name} in ${MAIN}` };
  },

  async steps(machine, wish) {
    const files = await interfacesFiles(machine);
    const { name, uplink } = wish;
    if (files.length === 0) throw cannotPersist(name, [`this host has no ${MAIN}`]);
    if (uplink !== undefined && !isConfigured(files, uplink))
      throw cannotPersist(name, [
        `nothing in ${files.map(({ path }) => path).join(', ')} brings ${uplink} up`,
      ]);
    // Without it ifup says nothing, makes no bridge, and takes it for made.
    if ((await machine.stat(HOOK)) === undefined)
      throw cannotPersist(
        name,
        ['ifupdown makes bridges only with bridge-utils, which is not installed'],
        ['sudo apt install bridge-utils'],
      );
    return [
      ...(await stateStep(machine, name, uplink)),
      ...(uplink === undefined ? [] : await leaseStep(machine, name, uplink)),
      ...(await keepFiles(machine, ifupdownFiles(wish, files))),
      {
        // One mistake in it, and ifupdown brings up nothing at all, at the next boot as well.
        title: 'see that ifupdown reads what was written',
        do: { run: ['ifquery', '--list'] },
        undo: { nothing: 'it only looks' },
        deadlineMs: DEADLINE_MS,
        durable: true,
      },
    ];
  },
};

/** What ifdown looks at: with it `ifdown br0` works before the next boot as after it. */
async function stateStep(
  machine: Machine,
  name: string,
  uplink: string | undefined,
): Promise<readonly Step[]> {
  const state = await machine.read(STATE);
  if (state === undefined) return [];
  const lines = state.split('\n').filter((line) => line !== '' && line !== `${uplink}=${uplink}`);
  return keepFiles(machine, [{ path: STATE, content: `${[...lines, `${name}=${name}`].join('\n')}\n` }]);
}

/** ifupdown runs dhclient with a lease file per link; the DUID in it is who we are to the server. */
async function leaseStep(machine: Machine, name: string, uplink: string): Promise<readonly Step[]> {
  const at = (link: string): FilePath => `/var/lib/dhcp/dhclient.${link}.leases`;
  const leases = await machine.read(at(uplink));
  if (leases === undefined) return [];
  const content = `${leases.replaceAll(`interface "${uplink}"`, `interface "${name}"`)}\n`;
  return [putFile({ path: at(name), content })];
}
