/** Which NIC of a VM a forward is for, and whether it can have one while the VM runs. */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { Nic } from '../vm/forwards.ts';
import type { VmStatus } from '../vm/status.ts';

/** Their forwards come and go while the guest runs. */
export const isLive = ({ mode }: Nic): boolean => mode === 'user' || mode === 'nat';

/** Throws QL_NIC_UNKNOWN, QL_NIC_AMBIGUOUS (exit 2), QL_FORWARD_MODE (exit 3). */
export function nicFor({ record }: VmStatus, wanted?: string): Nic {
  const { name, nics } = record;
  const named = nics.find(({ id }) => id === wanted);
  if (wanted !== undefined && named === undefined)
    throw new QlaunchError('QL_NIC_UNKNOWN', EXIT.usage, {
      what: `VM "${name}" has no NIC ${wanted}`,
      why: [nics.length === 0 ? 'it has none' : `it has: ${nics.map(({ id }) => id).join(', ')}`],
    });
  const able = named === undefined ? nics.filter(isLive) : [named];
  const [nic] = able;
  if (able.length > 1)
    throw new QlaunchError('QL_NIC_AMBIGUOUS', EXIT.usage, {
      what: `VM "${name}" has several NICs that take forwards`,
      why: [able.map(({ id, mode }) => `${id} (${mode})`).join(', ')],
      todo: able.map(({ id }) => `--nic ${id}`),
    });
  if (nic === undefined || !isLive(nic)) throw noForward(name, nic ?? nics[0]);
  return nic;
}

function noForward(vm: string, nic: Nic | undefined): QlaunchError {
  if (nic === undefined)
    return refused(`VM "${vm}" has no NIC`, [], [`qlaunch stop ${vm}`, 'start it with: --net user,fwd=…']);
  if (nic.mode === 'passt')
    return refused(
      `VM "${vm}": ${nic.id} takes its forwards only when it starts`,
      ['passt is told them on its command line, and can not be told later'],
      [
        `qlaunch stop ${vm}   # then start it with: --net passt,fwd=…`,
        'or start it with: --net user   # whose forwards change while it runs',
      ],
    );
  return refused(
    `VM "${vm}": ${nic.id} needs no forward`,
    [`it is on a network of its own right (${nic.mode}), and is reached by its own address`],
    [`qlaunch ip ${vm} --wait 30`],
  );
}

const refused = (what: string, why: readonly string[], todo: readonly string[]): QlaunchError =>
  new QlaunchError('QL_FORWARD_MODE', EXIT.refused, { what, why, todo });
