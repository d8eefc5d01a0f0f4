/** Forwards to guests of networks, as nft and iptables print what guest.ts makes. */
import { ANY, LOOPBACK } from './localnet.ts';

export interface LiveForward {
  /** "inet qlaunch_fwd_0123456789ab" */
  readonly table: string;
  /** What shows it: "nft list table inet qlaunch_fwd_0123456789ab". */
  readonly shownBy: string;
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
        shownBy: `nft list table ${table}`,
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

/** @param saved `iptables-save` */
export function parseSavedForwards(saved: string): readonly LiveForward[] {
  const lines = saved.split('\n').filter((line) => line.includes(' qlaunch_fwd_'));
  return lines.flatMap((line) => {
    const [, name, rule = ''] = /^-A (qlaunch_fwd_[0-9a-f]+)-own (.*) -j DNAT /.exec(line) ?? [];
    const [, proto, port] = /-m (tcp|udp) --dport (\d+)/.exec(rule) ?? [];
    if (name === undefined || proto === undefined) return [];
    const own = lines.filter((one) => one.includes(` ${name}-`)).join('\n');
    const bridge = / -o (\S+) /.exec(own)?.[1];
    return [
      {
        table: `inet ${name}`,
        shownBy: 'iptables -t nat -S',
        mark: /--comment "?([^" ]+)/.exec(own)?.[1] ?? '',
        proto: proto === 'udp' ? 'udp' : 'tcp',
        address: /-d ([^ /]+)/.exec(rule)?.[1] ?? ANY,
        hostPort: Number(port),
        ...(bridge === undefined ? {} : { bridge }),
        loopback: own.includes(`-s ${LOOPBACK} `),
      },
    ];
  });
}
