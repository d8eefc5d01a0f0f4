/** The host's switch board and the VMs that are plugged into it. */

import { readBoard } from '../../host/map/board.ts';
import { isElsewhere } from '../../host/map/tun-holders.ts';
import { leaseFiles, natPlaces } from '../../host/nat/places.ts';
import type { Host } from '../../host/port.ts';
import type { Identity } from '../../host/vm/user.ts';
import { defined } from '../../plan/map/defined.ts';
import type { BoardFacts, BoardVmFact } from '../../plan/map/facts.ts';
import { netdevWords } from '../../plan/map/netdev-words.ts';
import { alive, listVms, type VmStatus } from '../vm/status.ts';

/** Changes nothing and needs no rights; what only root may see is missing. Errors: QL_IP. */
export async function lookAtBoard(
  host: Pick<Host, 'run'>,
  who: Identity,
  env: NodeJS.ProcessEnv,
): Promise<BoardFacts> {
  const board = await readBoard(host, leaseFiles(natPlaces(env)));
  return { ...board, vms: listVms(who, env).filter(alive).map(vmFact) };
}

function vmFact({ record, state, pid }: VmStatus): BoardVmFact {
  const words = new Map(netdevWords(record.argv).map((netdev) => [netdev.id, netdev]));
  return {
    name: record.name,
    uid: record.uid,
    state,
    ...(pid === undefined ? {} : { pid }),
    elsewhere: pid !== undefined && isElsewhere(pid) === true,
    nics: record.nics.map(({ id, mode, mac, forwards }) => {
      const { ifname, bridge } = words.get(id) ?? {};
      return {
        id,
        mode,
        mac,
        ...defined({ ifname, bridge }),
        forwards: forwards.map(
          ({ proto, address, hostPort, guestPort }) =>
            `${proto} ${address === '' ? '' : `${address}:`}${hostPort} to ${guestPort}`,
        ),
      };
    }),
  };
}
