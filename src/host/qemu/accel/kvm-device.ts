/** /dev/kvm as the file system shows it, before anything is run. */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { arch, userInfo } from 'node:os';

export interface NoKvm {
  /** One line, fits behind "no KVM: ". */
  readonly because: string;
  readonly cure: readonly string[];
}

/**
 * Why KVM cannot even be tried; undefined when it can.
 * @param forUs QEMU runs as we do, so our own right to the device counts
 */
export function kvmMissing(forUs: boolean, path = '/dev/kvm', cpuInfo = '/proc/cpuinfo'): NoKvm | undefined {
  if (arch() !== 'x64') return { because: `this machine is ${arch()}, the guest is x86-64`, cure: [] };
  const device = statSync(path, { throwIfNoEntry: false });
  if (!device) return noDevice(path, cpuInfo);
  if (!forUs) return undefined;
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return undefined;
  } catch {
    return noRight(path, device);
  }
}

function noDevice(path: string, cpuInfo: string): NoKvm {
  const flag = /^flags\s*:.*\b(vmx|svm)\b/m.exec(readFileSync(cpuInfo, 'utf8'))?.[1];
  if (flag) {
    const module = flag === 'vmx' ? 'kvm_intel' : 'kvm_amd';
    return { because: `there is no ${path}, though the CPU has ${flag}`, cure: [`sudo modprobe ${module}`] };
  }
  return {
    because: `there is no ${path}, and the CPU offers neither vmx nor svm`,
    cure: [
      'switch VT-x or AMD-V on in the firmware, or nested virtualization on the machine this one runs in',
    ],
  };
}

function noRight(path: string, device: { mode: number; uid: number; gid: number }): NoKvm {
  const group = groupName(device.gid);
  const mode = (device.mode & 0o777).toString(8).padStart(4, '0');
  const because = `no permission for ${path} (mode ${mode}, group ${group ?? device.gid})`;
  const byGroup = group !== undefined && group !== 'root' && (device.mode & 0o060) === 0o060;
  const user = userInfo().username;
  return {
    because,
    cure: byGroup
      ? [`sudo usermod -aG ${group} ${user}   # then log in again`]
      : [`sudo setfacl -m u:${user}:rw ${path}`],
  };
}

function groupName(gid: number): string | undefined {
  try {
    return new RegExp(`^([^:]+):[^:]*:${gid}:`, 'm').exec(readFileSync('/etc/group', 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}
