/** `ip=`, `hostname=` and `fwd=` of `--net nat`: what the network has to know of a VM. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { hasOnlyIptables } from '../../host/nat/iptables.ts';
import { type Lease, readLeaseFile } from '../../host/nat/leases.ts';
import type { NatPlaces } from '../../host/nat/places.ts';
import { readReservations } from '../../host/nat/reservations.ts';
import type { Finding } from '../../host/qemu/finding.ts';
import { type HostFacts, linkNamed } from '../../plan/facts.ts';
import { guestAddress, type Holder } from '../../plan/nat/address.ts';
import { guestSteps } from '../../plan/nat/guest.ts';
import type { NatStatus } from '../../plan/nat/start.ts';
import type { Step } from '../../plan/step.ts';
import type { NatNet, NetSpec } from '../../spec/net-spec.ts';

/** One NIC whose address has to be known. */
export interface GuestWish {
  readonly net: NatNet;
  readonly network: NatStatus;
}

export const isKnownGuest = (net: NetSpec): net is NatNet =>
  net.mode === 'nat' && (net.ip !== undefined || net.hostname !== undefined || net.forwards.length > 0);

/** What no later look can change. */
export function guestFindings({ net, network }: GuestWish): readonly Finding[] {
  const refuse = (what: string, why: string, ...todo: string[]): Finding => ({
    code: 'QL_NET_GUEST',
    what: `${net.at}: ${what}`,
    why: [why],
    todo,
  });
  const open = net.forwards.find(({ hostPort }) => hostPort === 0);
  return [
    ...(network.dhcp === undefined
      ? [
          refuse(
            `the network ${network.name} gives no addresses`,
            'it has no DHCP',
            `qlaunch net dumpxml ${network.name}`,
          ),
        ]
      : []),
    ...(network.mode !== 'nat' && net.forwards.length > 0
      ? [
          refuse(
            `fwd= needs a network with NAT`,
            `${network.name} is "${network.mode}"`,
            'leave fwd= out: its guests are reached by their own addresses',
          ),
        ]
      : []),
    ...(open === undefined
      ? []
      : [
          refuse(
            'fwd=0:… chooses no port here',
            'no program listens on it',
            'name a port, or use --net user',
          ),
        ]),
  ];
}

/** Read anew, under the host lock when the change is made. Throws QL_NET_ADDRESS (exit 3). */
export function guestStepsNow(
  wishes: readonly GuestWish[],
  places: NatPlaces,
  of: {
    readonly taps: Readonly<Record<string, string>>;
    readonly macs: Readonly<Record<string, string>>;
    readonly mark: string;
    readonly facts: HostFacts;
  },
): readonly Step[] {
  return wishes.flatMap(({ net, network }) => {
    const [tap, mac, dhcp] = [of.taps[net.id], of.macs[net.id], network.dhcp];
    if (tap === undefined || mac === undefined || dhcp === undefined) return [];
    const paths = places.paths(network.name);
    const holders = [...readReservations(paths.hosts), ...readLeaseFile(paths.leases).flatMap(holderOf)];
    const address = guestAddress(mac, dhcp, holders, net.ip);
    if (typeof address !== 'string') throw noAddress(net, address.why);
    const { hostname, forwards } = net;
    const bridgeMac = linkNamed(of.facts, network.bridge)?.address;
    const guest = {
      ...{ tap, mac, address, forwards, bridge: network.bridge, subnet: dhcp.subnet },
      ...(bridgeMac === undefined ? {} : { bridgeMac }),
      ...(hasOnlyIptables() ? ({ iptables: true } as const) : {}),
    };
    return guestSteps(hostname === undefined ? guest : { ...guest, hostname }, paths, of.mark);
  });
}

function noAddress(net: NatNet, why: string): QlaunchError {
  return new QlaunchError('QL_NET_ADDRESS', EXIT.refused, {
    what:
      net.ip === undefined
        ? `${net.at}: ${net.network} has no address left`
        : `${net.at}: ip=${net.ip} can not be had`,
    why: [why],
    todo: [`sudo qlaunch net leases ${net.network}`, 'leave ip= out, or take another one'],
  });
}

/** Of IPv4, whose addresses are promised here. */
const holderOf = ({ mac, address }: Lease): readonly Holder[] =>
  mac === undefined || address.includes(':') ? [] : [{ mac, address }];
