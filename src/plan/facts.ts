/** The host as one look before planning found it. A plain object: planners are functions of it. */
export interface LinkFact {
  readonly ifindex: number;
  readonly ifname: string;
  readonly address?: string;
  readonly ifalias?: string;
  readonly master?: string;
  readonly mtu: number;
  readonly flags: readonly string[];
  readonly operstate?: string;
  readonly link_type: string;
  /** "bridge", "tun", "veth"; absent for a physical device. */
  readonly kind?: string;
  /** What a link of software is made on: of a VLAN or macvlan, in this namespace. Not a veth's peer. */
  readonly lower?: string;
  /** Of a bridge port: "forwarding", "learning", "listening", "blocking", "disabled". */
  readonly portState?: string;
  /** Of a bridge port: it takes frames for others too, as the kernel's "entered promiscuous mode" tells. */
  readonly promiscuous?: boolean;
  /** A Wi-Fi station or the like; absent where /sys did not tell. */
  readonly wireless?: boolean;
  readonly addresses: readonly AddressFact[];
  /** Of a tun or tap. */
  readonly tun?: TunFact;
  readonly bridge?: BridgeFact;
}

/** linux/net/bridge/br_netlink.c */
export interface BridgeFact {
  readonly vlanFiltering: boolean;
  /** The VLAN that a new port is in, untagged; 0: none. */
  readonly defaultPvid: number;
  readonly stp: boolean;
  readonly forwardDelayMs: number;
}

/** As TUNSETIFF and TUNSETOWNER left it (linux/drivers/net/tun.c). */
export interface TunFact {
  readonly type: 'tap' | 'tun';
  /** Name, or the uid of a user without one; absent: whoever has CAP_NET_ADMIN. */
  readonly user?: string;
  readonly group?: string;
  /** It must be opened with queues > 1, and without it with one. */
  readonly multiQueue: boolean;
  readonly persist: boolean;
}

export interface AddressFact {
  readonly family: 'inet' | 'inet6';
  readonly local: string;
  readonly prefixlen: number;
}

export interface HostFacts {
  readonly links: readonly LinkFact[];
  /** 12 hex digits, new for every plan: what random names, MACs and marks are made of. */
  readonly token: string;
}

export function linkNamed(facts: HostFacts, name: string): LinkFact | undefined {
  return facts.links.find((link) => link.ifname === name);
}
