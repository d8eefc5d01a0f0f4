/** What has to pass the firewall of this host for the guests of a network. */

import { nthAddress } from '../../spec/cidr.ts';
import { formatIp } from '../../spec/ip.ts';
import type { DefinedNetwork } from '../nat/defined.ts';
import { flowsOf6 } from './flows6.ts';
import type { Packet } from './match.ts';

export interface Flow {
  /** "guests ask for an address". */
  readonly what: string;
  readonly hook: 'input' | 'output' | 'forward';
  readonly packet: Packet;
}

export interface Surroundings {
  /** Where this host's default route goes. */
  readonly uplink?: string;
  /** br_netfilter: what crosses a bridge meets the forward chains too. */
  readonly bridgeFilter: boolean;
}

const ANYWHERE = '198.51.100.9';

/** On all of its addresses, whichever has it (dnsmasq(8), --enable-tftp). */
export const servesFiles = ({ ips }: DefinedNetwork): boolean => ips.some(({ tftp }) => tftp !== undefined);

/** None of an open network, whose firewall is the administrator's. */
export function flowsOf(network: DefinedNetwork, { uplink, bridgeFilter }: Surroundings): readonly Flow[] {
  const {
    bridge: { name: bridge },
    forward,
    dns,
  } = network;
  if (forward.mode === 'open') return [];
  const out = forward.dev ?? uplink ?? 'eth0';
  return network.ips.flatMap((ip, nth): readonly Flow[] => {
    if (ip.address.family === 6) return flowsOf6(network, ip, out);
    const { address, subnet, dhcp } = ip;
    const [gateway, guest] = [formatIp(address), formatIp(nthAddress(subnet, 2n) ?? address)];
    const tcp = { proto: 'tcp', sport: 40_000, dport: 443, state: 'new' } as const;
    const ask = {
      iif: bridge,
      saddr: guest,
      daddr: gateway,
      sport: 40_000,
      dport: 53,
      state: 'new',
    } as const;
    const flows: (readonly [wanted: boolean, flow: Flow])[] = [
      [
        dhcp !== undefined,
        {
          what: 'guests ask for an address',
          hook: 'input',
          packet: { ...ask, proto: 'udp', saddr: '0.0.0.0', daddr: '255.255.255.255', sport: 68, dport: 67 },
        },
      ],
      [
        dhcp !== undefined,
        {
          what: 'this host gives an address',
          hook: 'output',
          packet: {
            oif: bridge,
            proto: 'udp',
            saddr: gateway,
            daddr: guest,
            sport: 67,
            dport: 68,
            state: 'new',
          },
        },
      ],
      [dns, { what: 'guests ask for names', hook: 'input', packet: { ...ask, proto: 'udp' } }],
      [dns, { what: 'guests ask for names (TCP)', hook: 'input', packet: { ...ask, proto: 'tcp' } }],
      [
        servesFiles(network),
        { what: 'guests fetch files (TFTP)', hook: 'input', packet: { ...ask, proto: 'udp', dport: 69 } },
      ],
      [
        forward.mode !== 'none',
        {
          what: 'guests reach out',
          hook: 'forward',
          packet: { ...tcp, iif: bridge, oif: out, saddr: guest, daddr: ANYWHERE },
        },
      ],
      [
        forward.mode !== 'none',
        {
          what: 'answers come back to guests',
          hook: 'forward',
          packet: { ...tcp, iif: out, oif: bridge, saddr: ANYWHERE, daddr: guest, state: 'established' },
        },
      ],
      [
        forward.mode !== 'none',
        {
          what: 'forwards reach guests',
          hook: 'forward',
          packet: {
            ...tcp,
            iif: out,
            oif: bridge,
            saddr: ANYWHERE,
            daddr: guest,
            ...(forward.mode === 'nat' ? { dnat: true } : {}),
          },
        },
      ],
      [
        bridgeFilter && nth === 0,
        {
          what: 'guests reach each other',
          hook: 'forward',
          packet: { ...tcp, iif: bridge, oif: bridge, saddr: guest, daddr: guest },
        },
      ],
    ];
    return flows.flatMap(([wanted, flow]) => (wanted ? [flow] : []));
  });
}
