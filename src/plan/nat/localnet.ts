/**
 * route_localnet of a network's bridge. Answers to forwards from this host's own loopback come in by the bridge for
 * 127.0.0.1 (ip_route_input_slow() in linux/net/ipv4/route.c), so it is on while there are such forwards, and only then:
 * the rules that keep guests away from 127.0.0.0/8 can be flushed by anybody.
 */
import type { Forward } from '../../spec/forward.ts';
import { DEADLINE_MS, type HostPath, type Owns, type Step } from '../step.ts';

export const ANY = '0.0.0.0';

/** A program of this host may come by it from 127.0.0.1. */
export const isFromLoopback = ({ address }: Pick<Forward, 'address'>): boolean =>
  address === ANY || address.startsWith('127.');

export const localnetPath = (bridge: string): HostPath => `/proc/sys/net/ipv4/conf/${bridge}/route_localnet`;

/** For a bridge that is new, or has been changed by others. @param wanted some forward needs it */
export function setLocalnet(bridge: string, wanted: boolean): Step {
  return {
    title: wanted
      ? `let forwards from 127.0.0.1 reach guests on ${bridge}`
      : `let nobody on ${bridge} reach 127.0.0.0/8 of this host`,
    do: { write: localnetPath(bridge), value: wanted ? '1' : '0' },
    undo: { nothing: `goes away with ${bridge}` },
    deadlineMs: DEADLINE_MS,
  };
}

/** In the rules of forwards from there, and of no others (guest.ts). */
export const LOOPBACK = '127.0.0.0/8';

/** `$1` the bridge, `$2` the table of the forward that goes; another one keeps it as it is. */
const CLOSE_LOCALNET: string = [
  'path=/proc/sys/net/ipv4/conf/$1/route_localnet',
  '[ -e "$path" ] || exit 0',
  'for table in $(nft list tables inet 2>/dev/null | sed -n "s/^table inet \\(qlaunch_fwd_[0-9a-f]*\\)$/\\1/p"); do',
  '  [ "inet $table" != "$2" ] || continue',
  `  ! nft list chain inet "$table" back 2>/dev/null | grep -F "\\"$1\\"" | grep -qF ${LOOPBACK} || exit 0`,
  'done',
  `others=$(iptables-save 2>/dev/null | grep -v "^-A \${2#inet }-" | grep "^-A qlaunch_fwd_")`,
  `! printf "%s\\n" "$others" | grep -qF -- "-s ${LOOPBACK} -o $1 " || exit 0`,
  'echo 0 > "$path"',
].join('\n');

/**
 * Made behind the forward, so that it is taken back before it: never is the bridge open without the rules.
 * @param mac of the bridge, by which a new one of the same network is known as well
 */
export function localnetStep(bridge: string, mac: string | undefined, table: string): Step {
  const owns: Owns | undefined = mac === undefined ? undefined : { link: bridge, mac };
  return {
    ...setLocalnet(bridge, true),
    undo: { run: ['/bin/sh', '-c', CLOSE_LOCALNET, 'close-localnet', bridge, table], gone: [] },
    ...(owns === undefined ? {} : { owns }),
  };
}
