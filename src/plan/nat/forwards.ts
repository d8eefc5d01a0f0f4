/** Forwards to guests of networks, as nft prints the tables that guest.ts makes. */
import { ANY, LOOPBACK } from './localnet.ts';

export interface LiveForward {
  /** "inet qlaunch_fwd_0123456789ab" */
  readonly table: string;
  /** "qlaunch:vm/web:0123456789ab" */
  readonly mark: string;
  readonly proto: 'tcp' | 'udp';
  readonly address: string;
  readonly hostPort: number;
  /** Of the guest. */
  readonly bridge?: string;
  /** It takes what comes from 127.0.0.1 of this host. */
  readonly loopback: boolean;
}

const RULE = /(?:ip daddr (\S+) )?fib daddr type local (tcp|udp) dport (\d+) .*\bdnat ip to /;

/** @param ruleset `nft list ruleset` */
export function parseForwards(ruleset: string): readonly LiveForward[] {
  return ruleset.split(/^(?=table )/m).flatMap((part) => {
    const [, table] = /^table (inet qlaunch_fwd_[0-9a-f]+) \{/.exec(part) ?? [];
    const [, address = ANY, proto, port] = RULE.exec(part) ?? [];
    if (table === undefined || proto === undefined) return [];
    const bridge = /oifname "([^"]+)"/.exec(part)?.[1];
    return [
      {
        table,
        mark: /^\tcomment "(.*)"$/m.exec(part)?.[1] ?? '',
        proto: proto === 'udp' ? 'udp' : 'tcp',
        address,
        hostPort: Number(port),
        ...(bridge === undefined ? {} : { bridge }),
        loopback: part.includes(LOOPBACK),
      },
    ];
  });
}
