/** What one look at the host found for its map: links with their counters, neighbours, learned MACs, VMs. */

export interface BoardFacts {
  /** Monotonic, of the look: rates are made of two. */
  readonly atMs: number;
  readonly links: readonly BoardLink[];
  /** Devices that a default route leads through. */
  readonly defaultDevices: readonly string[];
  readonly neighbours: readonly Neighbour[];
  readonly learned: readonly Learned[];
  readonly vms: readonly BoardVmFact[];
  /** Processes that hold taps of this network namespace, as far as the caller may see them. */
  readonly holders: readonly TunHolder[];
}

export interface BoardLink {
  readonly ifindex: number;
  readonly name: string;
  /** "bridge", "tun", "veth", as `ip -d` says; undefined for a device of hardware. */
  readonly kind?: string;
  /** What the kind's own settings say worth a word: "vxlan 5", "tap", "VLAN 10". */
  readonly detail?: string;
  readonly ethernet: boolean;
  /** "pci 0000:00:03.0" */
  readonly bus?: string;
  readonly mac?: string;
  readonly mtu: number;
  readonly master?: string;
  /** What it is stacked on, in this namespace. Not a veth's peer. */
  readonly lower?: string;
  readonly peer?: string;
  /** Its peer or lower device is in another network namespace. */
  readonly elsewhere: boolean;
  readonly up: boolean;
  readonly carrier: boolean;
  /** Of a bridge port: "forwarding", "learning", "blocking", "disabled", "listening". */
  readonly portState?: string;
  readonly isolated: boolean;
  readonly alias?: string;
  /** Of a persistent tap: who may open it. */
  readonly owner?: string;
  readonly stp?: boolean;
  readonly forwardDelayMs?: number;
  readonly vlanFiltering?: boolean;
  /** "1 untagged", "10-20" */
  readonly vlans: readonly string[];
  readonly addresses: readonly LinkAddress[];
  readonly received: Counters;
  readonly sent: Counters;
}

export interface LinkAddress {
  /** "192.0.2.1/24" */
  readonly cidr: string;
  readonly linkLocal: boolean;
}

export interface Counters {
  readonly bytes: number;
  readonly packets: number;
  readonly errors: number;
  readonly dropped: number;
}

export type AddressSource = 'lease' | 'neighbour';

export interface Neighbour {
  readonly address: string;
  readonly mac: string;
  readonly source: AddressSource;
}

/** An entry of a bridge's forwarding database that a port learned. */
export interface Learned {
  readonly mac: string;
  readonly port: string;
}

export interface TunHolder {
  readonly pid: number;
  /** "qemu-system-x86_64" */
  readonly program: string;
  /** A guest's name, of a QEMU that was given one. */
  readonly guest?: string;
  /** In the order of their descriptors. */
  readonly taps: readonly string[];
}

export interface BoardVmFact {
  readonly name: string;
  readonly uid: number;
  readonly state: string;
  readonly pid?: number;
  /** It runs in another network namespace: the names in its command line are not ours. */
  readonly elsewhere: boolean;
  readonly nics: readonly VmNicFact[];
}

export interface VmNicFact {
  readonly id: string;
  readonly mode: string;
  readonly mac: string;
  /** As QEMU's command line has them. */
  readonly ifname?: string;
  readonly bridge?: string;
  /** "tcp 127.0.0.1:2222 to 22" */
  readonly forwards: readonly string[];
}
