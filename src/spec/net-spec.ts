/** One NIC of a VM and what it is plugged into. Made only by parseNet(). */
import type { Mac } from './mac.ts';

export type NicModel = 'virtio' | 'e1000e' | 'e1000' | 'rtl8139' | 'vmxnet3' | 'igb';

/** `fwd=[tcp|udp:][ADDR:]HOST:GUEST`. Ports 1–65535; hostPort 0 lets the kernel choose. */
export interface Forward {
  readonly proto: 'tcp' | 'udp';
  /** IPv4 literal on the host; 127.0.0.1 unless given. */
  readonly address: string;
  readonly hostPort: number;
  /** IPv4 literal of the guest; undefined: the first lease of the network. */
  readonly guestAddress?: string;
  readonly guestPort: number;
}

interface NicCommon {
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
  readonly interface?: string;
}

export interface BridgeNet extends NicCommon {
  readonly mode: 'bridge';
  readonly bridge: string;
  /** undefined: this distro's path. */
  readonly helper?: string;
  readonly vhost?: boolean;
}

export interface TapNet extends NicCommon {
  readonly mode: 'tap';
  readonly ifname?: string;
  readonly bridge?: string;
  /** Absolute path, or 'no'; undefined: qlaunch makes the tap itself. */
  readonly script?: string;
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
  readonly forwards: readonly Forward[];
}

export interface VfioNet extends NicCommon {
  readonly mode: 'vfio';
  /** As written; resolved against the machine later. */
  readonly selector: string;
  readonly romBar?: boolean;
}

export interface VfNet extends NicCommon {
  readonly mode: 'vf';
  readonly pf: string;
  readonly vf?: number;
}

export type NetSpec = UserNet | PasstNet | BridgeNet | TapNet | NatNet | VfioNet | VfNet;
export type NetMode = NetSpec['mode'] | 'none';
