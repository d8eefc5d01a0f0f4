/** Loaded when it is needed: QEMU waits for the hooks. */

import { EXIT, QlaunchError } from '../../errors.ts';
import { shellWord } from '../../plan/shell.ts';

export function noRights(ifname: string): QlaunchError {
  const word = shellWord(ifname);
  const user = `${process.geteuid?.() ?? ''}`;
  return new QlaunchError('QL_NO_RIGHTS', EXIT.host, {
    what: `may not plug ${ifname} into a bridge`,
    why: [
      `QEMU runs this as uid ${user} without CAP_NET_ADMIN; a file capability of QEMU does not reach its scripts`,
    ],
    todo: [
      `sudo ip tuntap add dev ${word} mode tap user ${user} && sudo ip link set dev ${word} master br0 up`,
      `then script=no,downscript=no, or: qlaunch … --net ${shellWord(`tap:${ifname}`)}`,
    ],
  });
}
