/** The name servers of this host that guests can reach: not those on its loopback. */
import { existsSync, readFileSync } from 'node:fs';

/** systemd-resolved's list of those behind its stub on 127.0.0.53 (systemd-resolved.service(8)). */
const BEHIND_RESOLVED = '/run/systemd/resolve/resolv.conf';

/** IPv4. */
export function upstreamServers(): readonly string[] {
  const of = (file: string): readonly string[] =>
    existsSync(file)
      ? [...readFileSync(file, 'utf8').matchAll(/^\s*nameserver\s+(\d+\.\d+\.\d+\.\d+)\s*$/gm)].flatMap(
          ([, address]) => (address === undefined || address.startsWith('127.') ? [] : [address]),
        )
      : [];
  const own = of('/etc/resolv.conf');
  return own.length > 0 ? own : of(BEHIND_RESOLVED);
}
