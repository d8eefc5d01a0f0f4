/** Port 53 of a network's address is somebody else's: dnsmasq gives addresses only, and says who answers names. */

/** Whom guests ask then: who listens there, the host's own name servers, or nobody. */
export type DnsChoice = 'host' | 'upstream' | 'off';

/**
 * dnsmasq(8): port=0 "completely disables DNS function", and then no server is told to guests unless it is named.
 * @param servers IPv4, may be none; undefined: the port is ours
 */
export function elsewhere(conf: string, servers: readonly string[] | undefined): string {
  if (servers === undefined) return conf;
  const option = servers.length === 0 ? [] : [`dhcp-option=option:dns-server,${servers.join(',')}`];
  return `${[conf.trimEnd(), '# Port 53 is somebody else’s.', 'port=0', ...option].join('\n')}\n`;
}
