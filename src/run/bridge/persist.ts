/** What makes a bridge again at boot. Written only when the bridge is confirmed, and gone when it is deleted. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { interfacesFiles } from '../../host/bridge/interfaces-files.ts';
import type { Machine } from '../../host/port.ts';
import { type IfupdownWish, ifupdownFiles, isConfigured } from '../../plan/bridge/ifupdown.ts';
import { putFile } from '../../plan/files.ts';
import { DEADLINE_MS, type FilePath, type Step } from '../../plan/step.ts';

const HOOK = '/etc/network/if-pre-up.d/bridge';
const STATE = '/run/network/ifstate';

/** Throws QL_PERSIST (exit 3): ifupdown does not bring this NIC up, or can make no bridges. */
export async function persistSteps(machine: Machine, wish: IfupdownWish): Promise<readonly Step[]> {
  const files = await interfacesFiles(machine);
  const { name, uplink } = wish;
  if (files.length === 0) throw cannot(name, ['this host has no /etc/network/interfaces'], []);
  if (uplink !== undefined && !isConfigured(files, uplink))
    throw cannot(name, [`nothing in ${files.map(({ path }) => path).join(', ')} brings ${uplink} up`], []);
  // Without it ifup says nothing, makes no bridge, and takes it for made.
  if ((await machine.stat(HOOK)) === undefined)
    throw cannot(
      name,
      ['ifupdown makes bridges only with bridge-utils, which is not installed'],
      ['sudo apt install bridge-utils'],
    );
  return [
    ...(await stateStep(machine, name, uplink)),
    ...(uplink === undefined ? [] : await leaseStep(machine, name, uplink)),
    ...ifupdownFiles(wish, files).map(({ path, content }): Step => {
      const step = putFile({ path: path as FilePath, content });
      return { ...step, do: { ...step.do, keep: true } as Step['do'] };
    }),
    {
      // One mistake in it, and ifupdown brings up nothing at all, at the next boot as well.
      title: 'see that ifupdown reads what was written',
      do: { run: ['ifquery', '--list'] },
      undo: { nothing: 'it only looks' },
      deadlineMs: DEADLINE_MS,
      durable: true,
    },
  ];
}

/** What ifdown looks at: with it `ifdown br0` works before the next boot as after it. */
async function stateStep(
  machine: Machine,
  name: string,
  uplink: string | undefined,
): Promise<readonly Step[]> {
  const state = await machine.read(STATE);
  if (state === undefined) return [];
  const lines = state.split('\n').filter((line) => line !== '' && line !== `${uplink}=${uplink}`);
  const step = putFile({ path: STATE, content: `${[...lines, `${name}=${name}`].join('\n')}\n` });
  return [step];
}

/** ifupdown runs dhclient with a lease file per link; the DUID in it is who we are to the server. */
async function leaseStep(machine: Machine, name: string, uplink: string): Promise<readonly Step[]> {
  const at = (link: string): FilePath => `/var/lib/dhcp/dhclient.${link}.leases`;
  const leases = await machine.read(at(uplink));
  if (leases === undefined) return [];
  const content = `${leases.replaceAll(`interface "${uplink}"`, `interface "${name}"`)}\n`;
  return [putFile({ path: at(name), content })];
}

function cannot(name: string, why: readonly string[], todo: readonly string[]): QlaunchError {
  return new QlaunchError('QL_PERSIST', EXIT.refused, {
    what: `can not make ${name} outlive a reboot`,
    why: [...why, 'qlaunch writes bridges for ifupdown only'],
    todo:
      todo.length > 0
        ? todo
        : ['the same command without --persist, and the bridge in your network configuration'],
  });
}
