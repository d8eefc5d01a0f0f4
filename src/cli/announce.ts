/** A VM that runs now: how to reach it and how to stop it. */
import type { VmStatus } from '../run/vm/status.ts';
import type { VmSpec } from '../spec/vm-spec.ts';

/** The documented shape of `-d --json`. */
export function running({ record, dir, pid }: VmStatus): object {
  const { name, nics, vnc } = record;
  return { name, pid, dir, nics, ...(vnc === undefined ? {} : { vnc }) };
}

export function announcement({ record, pid, reason }: VmStatus, { vnc: screen }: VmSpec): string {
  const { name, nics, vnc, serial, detached } = record;
  if (pid === undefined) return `${name} has ended already${reason === undefined ? '' : `: ${reason}`}`;
  const forwards = nics.flatMap((nic) => nic.forwards);
  return [
    `${name} is running (pid ${pid})`,
    ...forwards.map(({ proto, address, hostPort, guestPort }) => {
      const ssh =
        proto === 'tcp' && guestPort === 22 ? `   ssh -p ${hostPort} USER@${reachable(address)}` : '';
      return `  ${proto} ${address}:${hostPort} -> guest ${guestPort}${ssh}`;
    }),
    ...(vnc === undefined ? [] : [`  screen   vnc://${vnc}${exposure(screen)}`]),
    ...(serial === 'socket' ? [`  console  qlaunch console ${name}`] : []),
    ...(detached ? [`  stop     qlaunch stop ${name}`] : []),
  ].join('\n');
}

const reachable = (address: string): string => (address === '0.0.0.0' ? '127.0.0.1' : address);

function exposure(vnc: VmSpec['vnc']): string {
  if (vnc === undefined || /^(127\.|::1$)/.test(vnc.address)) return '';
  return vnc.passwordFile === undefined
    ? '   (open to the network, without a password)'
    : '   (open to the network)';
}
