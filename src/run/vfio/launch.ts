/** The devices of a VM's NICs: chosen, checked, and what is needed for them. */
import { which } from '../../host/linux-files.ts';
import type { Host } from '../../host/port.ts';
import type { Finding } from '../../host/qemu/finding.ts';
import { readVfioFacts } from '../../host/vfio/facts.ts';
import { memlockLimit } from '../../host/vfio/memlock.ts';
import type { Pins } from '../../host/vfio/pins.ts';
import type { Identity } from '../../host/vm/user.ts';
import type { Lifetime } from '../../plan/lifetime.ts';
import { renderLifetime } from '../../plan/lifetime.ts';
import type { Step } from '../../plan/step.ts';
import { chooseDevices, type LaunchChoice, passedOn } from '../../plan/vfio/launch.ts';
import type { PciAddress } from '../../spec/pci-address.ts';
import type { VmSpec } from '../../spec/vm-spec.ts';
import { openEngine } from '../open-engine.ts';
import { knownNames, leasedTo } from './changes.ts';

declare const QLAUNCH_VERSION: string;

export interface DeviceNeeds {
  /** By NIC id. */
  readonly devices: Readonly<Record<string, PciAddress>>;
  /** From the facts of now, under the host lock. */
  readonly plan: () => Promise<readonly Step[]>;
  /** To be written down once it runs: host/vfio/pins.ts. */
  readonly pins: Pins;
  readonly preview: readonly Step[];
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
  /** `prlimit … ` in front of setpriv. */
  readonly limits: readonly string[];
}

/** Beyond the guest's own memory: ROMs, video memory, the devices' own. libvirt takes the same. */
const SLACK_MIB = 1024;
const MIB = 1024 * 1024;

/** undefined: no NIC of it is a device of the host. */
export async function deviceNeeds(
  spec: VmSpec,
  who: Identity,
  host: Host,
  lifetime: Lifetime,
  macs: Readonly<Record<string, string>>,
  pins: Pins,
): Promise<DeviceNeeds | undefined> {
  const nets = passedOn(spec);
  if (nets.length === 0) return undefined;
  const engine = openEngine({ tool: `qlaunch ${QLAUNCH_VERSION}` });
  const owner = { uid: who.user.uid, gid: who.user.gid };
  const udev = which('udevadm') !== undefined;
  const choose = async (): Promise<LaunchChoice> => {
    const mine = renderLifetime(lifetime);
    const leased = leasedTo(engine, (name) => name !== mine);
    return chooseDevices(
      { nets, owner, udev, macs, known: knownNames(engine), leased, pins },
      await readVfioFacts(host),
    );
  };
  const { devices, steps, problems, notes, pins: now } = await choose();
  const memlock = memlockNeeds(spec.memoryMiB, who);
  return {
    devices,
    pins: now,
    preview: problems.length > 0 ? [] : steps,
    plan: async () => {
      const now = await choose();
      const changed = JSON.stringify(now.devices) !== JSON.stringify(devices);
      const [first] = now.problems;
      if (first === undefined && !changed) return now.steps;
      const { refusal } = await import('../../host/qemu/finding.ts');
      throw refusal([first ?? MOVED]);
    },
    findings: [...problems, ...memlock.findings],
    notes,
    limits: memlock.limits,
  };
}

const MOVED: Finding = {
  code: 'QL_VFIO_REFUSED',
  what: 'another device than a moment ago would be taken',
  why: ['somebody changed the PCI bus meanwhile'],
  todo: ['qlaunch vfio list', 'start the VM again'],
};

function memlockNeeds(
  memoryMiB: number,
  { user, root }: Identity,
): { readonly limits: readonly string[]; readonly findings: readonly Finding[] } {
  const bytes = (memoryMiB + SLACK_MIB) * MIB;
  // Root's QEMU is not asked (CAP_IPC_LOCK).
  if (user.uid === 0) return { limits: [], findings: [] };
  const limits = ['prlimit', `--memlock=${bytes}:${bytes}`];
  if (root || memlockLimit() >= bytes) return { limits, findings: [] };
  const finding: Finding = {
    code: 'QL_MEMLOCK',
    what: `user ${user.name} may not lock the guest’s memory`,
    why: [
      `a guest with a passed device needs ${bytes} bytes locked (its ${memoryMiB} MiB and ${SLACK_MIB} MiB more); the limit is ${memlockLimit()}`,
    ],
    todo: [
      'start it with sudo: qlaunch raises the limit for this VM alone, and QEMU still runs as you',
      `echo '${user.name} - memlock ${bytes / 1024}' | sudo tee /etc/security/limits.d/${user.name}-memlock.conf   # then log in again`,
      `LimitMEMLOCK=${bytes} in the unit, where a systemd service starts it`,
    ],
  };
  return { limits, findings: [finding] };
}
