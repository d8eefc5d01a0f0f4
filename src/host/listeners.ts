/** Which process listens on a port of this host: ss(8) of iproute2. Others' processes only root sees by name. */
import type { Host } from './port.ts';

export interface Listener {
  /** IPv4 or IPv6 literal, "*" for all of both. */
  readonly address: string;
  readonly port: number;
  readonly process?: { readonly name: string; readonly pid: number };
}

const DEADLINE_MS = 5_000;

/** None where ss is missing. */
export async function listenersOn(
  host: Pick<Host, 'run'>,
  proto: 'tcp' | 'udp',
  port: number,
): Promise<readonly Listener[]> {
  const flag = proto === 'tcp' ? '-Hlntp' : '-Hlnup';
  const { status, stdout } = await host.run(['ss', flag, 'sport', '=', `:${port}`], {
    timeoutMs: DEADLINE_MS,
  });
  return status === 0 ? parseListeners(stdout) : [];
}

/** "LISTEN 0 511 127.0.0.1:80 0.0.0.0:* users:(("nginx",pid=12,fd=6),("nginx",pid=13,fd=6))" */
export function parseListeners(text: string): readonly Listener[] {
  return text.split('\n').flatMap((line) => {
    const [, address = '', port = ''] = /^\S+\s+\d+\s+\d+\s+(\S+):(\d+)\s/.exec(line) ?? [];
    if (address === '') return [];
    const [, name, pid] = /users:\(\("([^"]*)",pid=(\d+)/.exec(line) ?? [];
    return [
      {
        address: address.replace(/%[^\]]*/, '').replace(/^\[(.*)\]$/, '$1'),
        port: Number(port),
        ...(name === undefined ? {} : { process: { name, pid: Number(pid) } }),
      },
    ];
  });
}

const ANY: readonly string[] = ['0.0.0.0', '*', '::'];

/** Both can not have the port. */
export const holds = ({ address }: Listener, wanted: string): boolean =>
  ANY.includes(address) || ANY.includes(wanted) || address === wanted;
