/** Forwards of `user` networks whose port the kernel chose: QEMU is asked which. */
import type { VmRecord } from '../../host/vm/store.ts';
import type { QmpClient } from '../qmp/client.ts';

export type Nic = VmRecord['nics'][number];
export type NicForward = Nic['forwards'][number];

/** The NICs with their real ports. No question is asked when every port was given. */
export async function chosenPorts(nics: readonly Nic[], qmp: QmpClient): Promise<readonly Nic[]> {
  if (!nics.some(({ forwards }) => forwards.some(isOpen))) return nics;
  const answer = await qmp.execute('human-monitor-command', { 'command-line': 'info usernet' });
  return withPorts(nics, String(answer));
}

const isOpen = ({ hostPort }: NicForward): boolean => hostPort === 0;

/** `info usernet` (net/slirp.c, hmp_info_usernet; slirp misc.c): per network its sockets, host forwards among them. */
const NETWORK = /^Hub -?\d+ \((.+)\):|^(\S+):$/;
const HOST_FORWARD = /^\s+(TCP|UDP)\[HOST_FORWARD\]\s+\S+\s+(\S+)\s+(\d+)\s+\S+\s+(\d+)\s/;

export function withPorts(nics: readonly Nic[], usernet: string): readonly Nic[] {
  const listening = parseUsernet(usernet);
  return nics.map((nic) => {
    const mine = listening.filter(({ id }) => id === nic.id);
    const forwards = nic.forwards.map((wish) => {
      if (!isOpen(wish)) return wish;
      // Two alike are told apart by their order.
      const at = mine.findIndex((row) => matches(row, wish) && !isGiven(row, nic));
      const [row] = at < 0 ? [] : mine.splice(at, 1);
      return row === undefined ? wish : { ...wish, hostPort: row.hostPort };
    });
    return { ...nic, forwards };
  });
}

interface Listening extends NicForward {
  readonly id: string;
}

/** What QEMU listens on for one NIC, whoever asked it to. */
export async function listeningFor(nic: string, qmp: QmpClient): Promise<readonly NicForward[]> {
  const answer = await qmp.execute('human-monitor-command', { 'command-line': 'info usernet' });
  return parseUsernet(String(answer)).flatMap(({ id, ...forward }) => (id === nic ? [forward] : []));
}

function parseUsernet(text: string): readonly Listening[] {
  let id = '';
  return text.split(/\r?\n/).flatMap((line) => {
    const network = NETWORK.exec(line);
    if (network) id = network[1] ?? network[2] ?? '';
    const [, proto = '', source = '', host, guest] = HOST_FORWARD.exec(line) ?? [];
    if (proto === '') return [];
    const address = source === '*' ? '0.0.0.0' : source;
    return [{ id, proto: proto.toLowerCase(), address, hostPort: Number(host), guestPort: Number(guest) }];
  });
}

const matches = (row: NicForward, wish: NicForward): boolean =>
  row.proto === wish.proto && row.guestPort === wish.guestPort && row.address === wish.address;

const isGiven = (row: NicForward, { forwards }: Nic): boolean =>
  forwards.some((wish) => matches(row, wish) && wish.hostPort === row.hostPort);
