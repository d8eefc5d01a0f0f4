/** Virtual functions after a boot: sriov_numvfs is not kept by anything. */
import { putFile } from '../files.ts';
import type { FilePath, Step } from '../step.ts';
import type { PciFunction } from './facts.ts';

const rulePath = (pf: PciFunction): FilePath =>
  `/etc/udev/rules.d/80-qlaunch-vf-${pf.address.replace(/[:.]/g, '-')}.rules`;

/** udev(7). The order in one rule is the order of the writes: no driver of the host takes them. */
export function vfRule(pf: PciFunction, count: number): string {
  return [
    `# Virtual functions of ${pf.address}, for guests. Made by qlaunch; removed by: qlaunch vfio vf release ${pf.address}`,
    `ACTION=="add", SUBSYSTEM=="net", KERNELS=="${pf.address}", ATTR{device/sriov_drivers_autoprobe}="0", ATTR{device/sriov_numvfs}="${count}"`,
    '',
  ].join('\n');
}

export const persistVfs = (pf: PciFunction, count: number): readonly Step[] => [
  putFile({ path: rulePath(pf), content: vfRule(pf, count) }),
];
