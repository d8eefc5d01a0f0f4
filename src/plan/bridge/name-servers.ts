/** The name servers that came with a lease: where it ends, nobody says them any more. */

export interface NameServers {
  readonly dns: readonly string[];
  /** To search in. */
  readonly domains: readonly string[];
}

const wordsOf = (text: string, key: string): readonly string[] =>
  [...text.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].flatMap(([, value = '']) =>
    value.split(/[\s;,]+/).filter((word) => word !== ''),
  );

const found = (dns: readonly string[], domains: readonly string[]): NameServers | undefined =>
  dns.length === 0 ? undefined : { dns: [...new Set(dns)], domains: [...new Set(domains)] };

/** @param lease of systemd-networkd: sd_dhcp_lease_save() in systemd/src/libsystemd-network/sd-dhcp-lease.c */
export const ofNetworkdLease = (lease: string): NameServers | undefined =>
  found(wordsOf(lease, 'DNS'), [...wordsOf(lease, 'DOMAINNAME'), ...wordsOf(lease, 'DOMAIN_SEARCH_LIST')]);

/** @param device /run/NetworkManager/devices/IFINDEX, which has the options of its lease */
export const ofNmDevice = (device: string): NameServers | undefined =>
  found(wordsOf(device, 'dhcp4\\.domain_name_servers'), [
    ...wordsOf(device, 'dhcp4\\.domain_search'),
    ...wordsOf(device, 'dhcp4\\.domain_name'),
  ]);

/** @param file ours of a bridge, until the next boot: a .network file, or a keyfile; there IPv4 comes first */
export const ofOurs = (file: string): NameServers | undefined =>
  found(
    [...wordsOf(file, 'DNS'), ...wordsOf(file, 'dns')].filter((one) => !one.includes(':')),
    [...wordsOf(file, 'Domains'), ...wordsOf(file, 'dns-search')],
  );
