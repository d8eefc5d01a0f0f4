/** One NIC of a VM and what it is plugged into. Made only by parseNet(). */
import type { Forward } from './forward.ts';
import type { IfName } from './ifname.ts';
import type { Mac } from './mac.ts';
import type { PortSpec } from './port.ts';

export type { Forward };

export type NicModel = 'virtio' | 'e1000e' | 'e1000' | 'rtl8139' | 'vmxnet3' | 'igb';

export interface NicCommon {
  /** net0, net1, … unless given; QEMU's netdev id. */
  readonly id: string;
  readonly mac?: Mac;
  readonly model: NicModel;
  readonly mtu?: number;
  /** Queue pairs; 1 unless given. */
  readonly queues: number;
  /** QEMU's bootindex. */
  readonly boot?: number;
  /** QEMU's romfile: a path, or '' for no option ROM. */
  readonly romFile?: string;
  /** off: the guest sees no ROM at all. */
  readonly romBar?: boolean;
  /** Where the user wrote it, for messages. */
  readonly at: string;
}

export interface UserNet extends NicCommon {
  readonly mode: 'user';
  readonly net?: string;
  readonly host?: string;
  readonly dns?: string;
  readonly dhcpStart?: string;
  readonly hostname?: string;
  readonly dnsSearch: readonly string[];
  readonly tftp?: string;
  readonly bootFile?: string;
  readonly smb?: string;
  readonly smbServer?: string;
  readonly restrict: boolean;
  readonly ipv4?: boolean;
  readonly ipv6?: boolean;
  readonly ipv6Prefix?: string;
  readonly ipv6PrefixLen?: number;
  readonly ipv6Host?: string;
  readonly ipv6Dns?: string;
  readonly forwards: readonly Forward[];
  /** QEMU's own text behind `guestfwd=`. */
  readonly guestForwards: readonly string[];
}

export interface PasstNet extends NicCommon {
  readonly mode: 'passt';
  readonly forwards: readonly Forward[];
  readonly address?: string;
  readonly gateway?: string;
  /** The host's interface whose addresses and routes are copied; undefined: that of the default route. */
  readonly interface?: IfName;
}

export interface BridgeNet extends NicCommon {
  readonly mode: 'bridge';
  readonly bridge: IfName;
  /** undefined: this distro's path. */
  readonly helper?: string;
  readonly vhost?: boolean;
}

export interface TapNet extends NicCommon, PortSpec {
  readonly mode: 'tap';
  readonly ifname?: IfName;
  readonly bridge?: IfName;
  /** Absolute path; 'yes': our qemu-ifup; 'no': the tap is there already; undefined: qlaunch makes it itself. */
  readonly script?: string;
  /** The same; undefined with script 'yes': our qemu-ifdown, else none. */
  readonly downscript?: string;
  readonly vhost?: boolean;
  readonly vhostForce?: boolean;
  /** Bytes. */
  readonly sndbuf?: number;
  readonly vnetHdr?: boolean;
  readonly fd?: number;
  readonly vhostFd?: number;
}

export interface NatNet extends NicCommon {
  readonly mode: 'nat';
  readonly network: string;
  /** Of the network's definition; undefined: its default one, if it has one. */
  readonly portgroup?: string;
  /** The address that DHCP gives this guest; IPv4. */
  readonly ip?: string;
  /** What DHCP and DNS call it. */
  readonly hostname?: string;
  readonly forwards: readonly Forward[];
}

export interface VfioNet extends NicCommon {
  readonly mode: 'vfio';
  /** As written; resolved against the machine later. */
  readonly selector: string;
  /** Take along what keeps its IOMMU group from being used; unless given only what was named. */
  readonly wholeGroup?: boolean;
}

export interface VfNet extends NicCommon {
  readonly mode: 'vf';
  /** A selector, as written. */
  readonly pf: string;
  /** undefined: one that is free. */
  readonly vf?: number;
  /** Tag that the physical function puts on and takes off; 0 none. */
  readonly vlan?: number;
  /** Mbit/s that the guest may send. */
  readonly rate?: number;
  readonly spoofchk?: boolean;
  readonly trust?: boolean;
}

export type NetSpec = UserNet | PasstNet | BridgeNet | TapNet | NatNet | VfioNet | VfNet;
export type NetMode = NetSpec['mode'] | 'none';
