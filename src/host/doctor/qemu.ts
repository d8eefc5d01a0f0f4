/** QEMU: found, what it lacks, and whether KVM really runs a guest. */
import { QlaunchError } from '../../errors.ts';
import type { Finding } from '../../plan/doctor/finding.ts';
import { loadModule } from '../../plan/doctor/steps.ts';
import { which } from '../linux-files.ts';
import { chooseAccel } from '../qemu/accel.ts';
import { qemuCaps } from '../qemu/ask.ts';
import { findBeside, findQemu, type QemuBinary } from '../qemu/find.ts';
import { findFirmware } from '../qemu/firmware.ts';
import { installLine } from '../qemu/install.ts';
import { dropPrivileges } from '../vm/spawn.ts';
import type { DoctorContext } from './context.ts';

export async function qemuFindings({ host, who }: DoctorContext): Promise<readonly Finding[]> {
  const id = 'qemu';
  const qemu = found();
  if (qemu === undefined)
    return [{ id, state: 'problem', fact: 'QEMU is not installed', cure: [installLine('qemu')] }];
  const caps = await qemuCaps(host, qemu, dropPrivileges(who));
  const { major, minor, micro } = caps.version;
  const lacks = (what: string, fact: string, cure: readonly string[]): Finding => ({
    ...{ id: 'qemu-lacks', about: what, state: 'warning', fact, cure },
  });
  return [
    { id, state: 'ok', fact: `QEMU ${major}.${minor}.${micro} is ${qemu.path}` },
    ...(caps.netdevs.has('user')
      ? []
      : [lacks('user', 'this QEMU was built without the user network, the default', ['--net passt'])]),
    ...(caps.netdevs.has('tap')
      ? []
      : [lacks('tap', 'this QEMU was built without taps: no bridge, no tap', [installLine('qemu')])]),
    ...(caps.devices.has('virtio-net-pci')
      ? []
      : [
          lacks('virtio', 'this QEMU has no virtio NIC, the default model', [
            '--net …,model=e1000e',
            installLine('qemu'),
          ]),
        ]),
    ...(findBeside(qemu, 'qemu-img') === undefined
      ? [lacks('qemu-img', 'there is no qemu-img: no disks can be made', [installLine('qemu-img')])]
      : []),
    ...(hasFirmware()
      ? []
      : [lacks('ovmf', 'no UEFI firmware is installed: no --uefi', [installLine('ovmf')])]),
    ...(which('passt') === undefined
      ? [lacks('passt', 'passt is not installed: no --net passt', ['install the package passt'])]
      : []),
  ];
}

export async function kvmFindings({ host, who }: DoctorContext): Promise<readonly Finding[]> {
  const qemu = found();
  // Said by the check of QEMU.
  if (qemu === undefined) return [];
  const id = 'kvm';
  const choice = await chooseAccel(host, qemu, { runAs: dropPrivileges(who) });
  if (choice.accel === 'kvm') return [{ id, state: 'ok', fact: 'a KVM guest really runs here' }];
  const module = choice.cure.map((text) => /^sudo modprobe (kvm_\w+)$/.exec(text)?.[1]).find(Boolean);
  return [
    {
      id,
      state: 'warning',
      fact: `no KVM, guests are slow: ${choice.because}`,
      ...(choice.cure.length > 0 ? { cure: choice.cure } : {}),
      ...(module === undefined ? {} : { fix: { steps: [loadModule(module)] } }),
    },
  ];
}

function found(): QemuBinary | undefined {
  return unless('QL_QEMU_MISSING', () => findQemu());
}

function hasFirmware(): boolean {
  return unless('QL_UEFI_MISSING', () => findFirmware('q35')) !== undefined;
}

function unless<T>(code: string, look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof QlaunchError && error.code === code) return undefined;
    throw error;
  }
}
