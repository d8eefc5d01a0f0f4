/** What of ours on the host a forward belongs to: it ends with that. */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { ProcessId } from '../../host/port.ts';
import type { Engine } from '../engine.ts';
import type { Journal } from '../journal/journal.ts';
import { loadChanges } from '../journal/load.ts';
import type { Nic } from '../vm/forwards.ts';
import { vmLabel } from '../vm/left.ts';
import type { VmStatus } from '../vm/status.ts';

interface Kept {
  /** Its tap; of one that QEMU's bridge helper made, which has no name that anybody knows, words instead. */
  readonly socket: string;
  /** Where the helper has plugged it in. */
  readonly bridge?: string;
  /** What the VM keeps on the host; undefined: nothing so far, and then no guard of root's is there either. */
  readonly journal?: Journal;
  /** Its QEMU. */
  readonly holder: ProcessId;
}

type VmRecord = VmStatus['record'];

/** The same for the same NIC as long as its VM runs. */
export const socketOf = (record: VmRecord, { id }: Pick<Nic, 'id'>): string =>
  tapOf(record.argv, id) ?? `helper ${vmLabel(record.uid, record.name)} ${id}`;

/** For `changes`, and to find it again. */
export const forwardsTitle = ({ uid, name }: VmRecord): string => `forwards of ${vmLabel(uid, name)}`;

/** Throws QL_FORWARD_TAP (exit 3): its tap is none that we made for it, nor the helper. */
export function keptBy(engine: Engine, { record, pid }: VmStatus, nic: Nic): Kept {
  const tap = tapOf(record.argv, nic.id);
  const bridge = tap === undefined ? helperBridge(record.argv, nic.id) : undefined;
  const socket = socketOf(record, nic);
  const lifetime = vmLabel(record.uid, record.name);
  for (const { journal } of loadChanges(engine.stores, engine.world)) {
    if (journal === undefined) continue;
    const { head, entries } = journal;
    const made =
      bridge === undefined
        ? entries.some(({ owns }) => owns !== undefined && 'link' in owns && owns.link === tap)
        : head.title === forwardsTitle(record);
    if (!('vm' in head.lifetime) || head.lifetime.vm !== lifetime || !made) continue;
    const { holder } = head;
    if (holder === null || holder === 'until-undone' || engine.world.alive(holder) !== 'alive') continue;
    return { socket, journal, holder, ...(bridge === undefined ? {} : { bridge }) };
  }
  const qemu = bridge === undefined || pid === undefined ? undefined : engine.world.process(pid);
  if (qemu !== undefined && bridge !== undefined) return { socket, holder: qemu, bridge };
  throw new QlaunchError('QL_FORWARD_TAP', EXIT.refused, {
    what: `VM "${record.name}": no forward can be added to ${nic.id} while it runs`,
    why: ['its tap is none of ours, and nothing of ours on this host would end with it'],
    todo: [
      `qlaunch stop ${record.name}   # then start it with sudo: QEMU itself still runs as you`,
      'or start it with: --net user   # whose forwards need no rights',
    ],
  });
}

const netdevOf = (argv: readonly string[], nic: string): string =>
  argv.find(
    (word, n) => argv[n - 1] === '-netdev' && /^(tap|bridge),/.test(word) && word.includes(`,id=${nic},`),
  ) ?? '';

/** `-netdev tap,id=net0,ifname=qt-web0,…`: of a tap that QEMU opens by its name. */
const tapOf = (argv: readonly string[], nic: string): string | undefined =>
  /,ifname=([^,]+)/.exec(netdevOf(argv, nic))?.[1];

/** `-netdev bridge,id=net0,helper=…,br=virbr0`. */
const helperBridge = (argv: readonly string[], nic: string): string | undefined =>
  /,helper=/.test(netdevOf(argv, nic)) ? /,br=([^,]+)/.exec(netdevOf(argv, nic))?.[1] : undefined;
