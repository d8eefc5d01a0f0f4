/** A virtual network of this host, as libvirt's network format says it. Made only by readNetwork(). */
import type { Cidr } from '../cidr.ts';
import type { Ip } from '../ip.ts';
import type { Mac } from '../mac.ts';
import type { Portgroup } from './portgroup.ts';

/**
 * none: isolated, guests reach each other and the host. open: routed, and nothing is put into the firewall. bridge: the
 * guests are ports of a bridge of the host's, and no more.
 */
export type ForwardMode = 'nat' | 'route' | 'open' | 'none' | 'bridge';

interface AddressRange {
  readonly start: Ip;
  readonly end: Ip;
}

/** What `forward` says. */
export interface Forwarding {
  readonly mode: ForwardMode;
  /** Only out through this interface. */
  readonly dev?: string;
  /** Source ports of NATed packets; 1024-65535 unless given. */
  readonly ports?: { readonly start: number; readonly end: number };
  /** Source addresses of NATed packets, of one family; that of the outgoing interface unless given. */
  readonly addresses?: AddressRange;
  /** IPv6 subnets are NATed, or routed. Unless said, those are NATed that nobody else can route to (RFC 4193). */
  readonly nat6?: boolean;
}

export interface DhcpRange extends AddressRange {
  /** Seconds, 0: for ever; dnsmasq's own hour unless given. */
  readonly leaseSeconds?: number;
}

/** One guest that always gets the same address. It is told by one of `mac`, `duid` and, where both are missing, `name`. */
export interface DhcpHost {
  readonly mac?: Mac;
  /** DHCP Unique Identifier (RFC 8415, 11) of IPv6: "0:3:0:1:52:54:0:0:0:1". */
  readonly duid?: string;
  readonly ip?: Ip;
  readonly name?: string;
  /** As of DhcpRange. */
  readonly leaseSeconds?: number;
}

export interface Dhcp {
  readonly ranges: readonly DhcpRange[];
  readonly hosts: readonly DhcpHost[];
  /** What a guest that boots from the network loads, and from whom: a name or an address; this host unless given. */
  readonly bootp?: { readonly file: string; readonly server?: string };
}

/** One address of the host on the bridge, and its subnet. Of IPv6 a /64, or longer with DHCP. */
export interface NetworkIp {
  readonly address: Ip;
  readonly subnet: Cidr;
  readonly dhcp?: Dhcp;
  /** Nobody else is asked for the names of its addresses. */
  readonly localPtr?: true;
  /** The directory that TFTP serves; absolute. */
  readonly tftp?: string;
}

/** A way to others behind a guest. */
export interface StaticRoute {
  readonly to: Cidr;
  /** In a subnet of the network. */
  readonly via: Ip;
  readonly metric?: number;
}

/** As libvirt counts it: kilobytes (1000) per second, a burst in kibibytes (1024). */
export interface Rate {
  readonly average: number;
  /** Only of what goes to guests. */
  readonly peak?: number;
  readonly burst?: number;
}

/** Of what this host gives to guests, or takes from them; what guests say to each other passes it by. */
export interface Bandwidth {
  readonly toGuests?: Rate;
  readonly fromGuests?: Rate;
}

/** Who answers what. */
export interface Forwarder {
  /** Only for names below it. */
  readonly domain?: string;
  /** The host's own name servers unless given. */
  readonly address?: Ip;
}

export interface SrvRecord {
  readonly service: string;
  readonly protocol: string;
  /** That of the network unless given. */
  readonly domain?: string;
  /** Not there: nobody offers the service. */
  readonly target?: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** What `dns` says. */
export interface Names {
  /** Names without a dot are asked of others as well. */
  readonly forwardPlain: boolean;
  readonly forwarders: readonly Forwarder[];
  readonly hosts: readonly { readonly address: Ip; readonly names: readonly string[] }[];
  /** `value` is printable, up to 255 bytes. */
  readonly texts: readonly { readonly name: string; readonly value: string }[];
  readonly services: readonly SrvRecord[];
}

export interface NetworkBridge {
  /** Letters, digits, "-", "_" and "."; never "all" or "default". */
  readonly name?: string;
  readonly stp: boolean;
  /** Seconds that a port listens before it forwards. */
  readonly delay: number;
  /** That of firewalld which it belongs to. */
  readonly zone?: string;
}

export interface Network {
  /** Letters, digits, "-", "_" and ".", beginning with a letter or digit. */
  readonly name: string;
  /** Lower case, with dashes. */
  readonly uuid?: string;
  readonly bridge: NetworkBridge;
  readonly mac?: Mac;
  readonly mtu?: number;
  /** `register`: this host asks the network for its names. */
  readonly domain?: { readonly name: string; readonly localOnly: boolean; readonly register: boolean };
  readonly forward: Forwarding;
  /** false: dnsmasq gives addresses only. */
  readonly dns: boolean;
  readonly names: Names;
  readonly ips: readonly NetworkIp[];
  readonly routes: readonly StaticRoute[];
  readonly bandwidth: Bandwidth;
  /** Guests reach this host and what is behind it, not each other. */
  readonly isolated: boolean;
  /** What ports may do, by name; of one name once. */
  readonly portgroups: readonly Portgroup[];
  /** Lines for dnsmasq, of options that give nobody a right on this host. */
  readonly options: readonly string[];
}
