/** In what a definition is another one than the network that runs, and what of it a running network takes over. */
import { formatCidr } from '../../spec/cidr.ts';
import { formatIp, type Ip } from '../../spec/ip.ts';
import type { NetworkIp, Rate } from '../../spec/nat/network.ts';
import type { NetFinding } from './check.ts';
import type { DefinedNetwork } from './defined.ts';

/** What dnsmasq alone reads, as the definition says it now; all else as it was started. */
export function withLive(started: DefinedNetwork, now: DefinedNetwork): DefinedNetwork {
  const { names, options, domain } = now;
  // What this host asks the network for is told to systemd-resolved at the start.
  const isRegistered = [started, now].some((one) => one.domain?.register === true);
  const { domain: asStarted, ...rest } = started;
  const then = isRegistered ? asStarted : domain;
  const isSameAddresses = addressesOf(started) === addressesOf(now);
  return {
    ...rest,
    ...{ names, options },
    ...(then === undefined ? {} : { domain: then }),
    ips: isSameAddresses ? started.ips.map((ip, nth) => withLiveIp(ip, now.ips[nth] ?? ip)) : started.ips,
  };
}

/** Whether there is DHCP at all is the firewall's business too. */
function withLiveIp(started: NetworkIp, now: NetworkIp): NetworkIp {
  const { dhcp: _dhcp, localPtr: _ptr, ...ip } = started;
  const dhcp = (started.dhcp === undefined) === (now.dhcp === undefined) ? now.dhcp : started.dhcp;
  return {
    ...ip,
    ...(dhcp === undefined ? {} : { dhcp }),
    ...(now.localPtr === undefined ? {} : { localPtr: now.localPtr }),
  };
}

const addressesOf = ({ ips }: Pick<DefinedNetwork, 'ips'>): string =>
  ips.map(({ address, subnet }) => `${formatIp(address)}/${subnet.prefix}`).join(', ');

type Aspect = readonly [words: string, of: (network: DefinedNetwork) => string];

const range = (of: { readonly start: Ip; readonly end: Ip } | undefined): string =>
  of === undefined ? '' : `${formatIp(of.start)}-${formatIp(of.end)}`;
const rate = (of: Rate | undefined): string =>
  of === undefined
    ? ''
    : [`${of.average} kB/s`, of.peak && `peak ${of.peak}`, of.burst && `burst ${of.burst}`]
        .filter((word) => word !== undefined)
        .join(', ');
/** Of what is too long to be shown: only whether it is the same. */
const whole = (value: unknown): string =>
  JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? `${one}` : one)) ?? '';

/** In the words of the definition. */
const ASPECTS: readonly Aspect[] = [
  ['bridge', ({ bridge }) => bridge.name],
  ['MAC', ({ mac }) => mac ?? ''],
  ['stp', ({ bridge }) => (bridge.stp ? `on, delay ${bridge.delay}` : 'off')],
  ['zone', ({ bridge }) => bridge.zone ?? ''],
  ['mtu', ({ mtu }) => `${mtu ?? ''}`],
  ['domain', ({ domain }) => domain?.name ?? ''],
  ['domain localOnly', ({ domain }) => (domain?.localOnly === true ? 'yes' : 'no')],
  ['domain register', ({ domain }) => (domain?.register === true ? 'yes' : 'no')],
  ['forward mode', ({ forward }) => forward.mode],
  ['forward dev', ({ forward }) => forward.dev ?? ''],
  ['nat ports', ({ forward: { ports } }) => (ports === undefined ? '' : `${ports.start}-${ports.end}`)],
  ['nat addresses', ({ forward }) => range(forward.addresses)],
  ['nat ipv6', ({ forward: { nat6 } }) => (nat6 === undefined ? '' : nat6 ? 'yes' : 'no')],
  ['ip addresses', addressesOf],
  ['dhcp ranges', ({ ips }) => ips.flatMap(({ dhcp }) => (dhcp?.ranges ?? []).map(rangeOf)).join(', ')],
  ['dhcp hosts', ({ ips }) => whole(ips.map(({ dhcp }) => dhcp?.hosts ?? []))],
  ['bootp', ({ ips }) => whole(ips.map(({ dhcp }) => dhcp?.bootp))],
  ['localPtr', ({ ips }) => whole(ips.map(({ localPtr }) => localPtr))],
  ['tftp', ({ ips }) => ips.flatMap(({ tftp }) => tftp ?? []).join(', ')],
  ['dns', ({ dns }) => (dns ? 'on' : 'off')],
  ['names', ({ names }) => whole(names)],
  ['routes', ({ routes }) => routes.map(({ to, via }) => `${formatCidr(to)} by ${formatIp(via)}`).join(', ')],
  ['bandwidth inbound', ({ bandwidth }) => rate(bandwidth.toGuests)],
  ['bandwidth outbound', ({ bandwidth }) => rate(bandwidth.fromGuests)],
  ['port isolated', ({ isolated }) => (isolated ? 'yes' : 'no')],
  ['portgroups', ({ portgroups }) => whole(portgroups)],
  ['dnsmasq options', ({ options }) => whole(options)],
];

function rangeOf({ start, end, leaseSeconds }: { start: Ip; end: Ip; leaseSeconds?: number }): string {
  return `${range({ start, end })}${leaseSeconds === undefined ? '' : ` for ${leaseSeconds} s`}`;
}

const SHOWN_CHARACTERS = 60;

/** "mtu (1400, defined: 9000)"; of what is long, its name only. Empty: it runs as it is defined. */
export function differences(runs: DefinedNetwork, defined: DefinedNetwork): readonly string[] {
  return ASPECTS.flatMap(([words, of]) => {
    const [is, wanted] = [of(runs), of(defined)];
    if (is === wanted) return [];
    const isShort = [is, wanted].every((text) => text.length <= SHOWN_CHARACTERS && !/^[[{]/.test(text));
    return [isShort ? `${words} (${is || 'none'}, defined: ${wanted || 'none'})` : words];
  });
}

/** Of a network that runs; none where it runs as it is defined. */
export function definitionFindings(runs: DefinedNetwork, defined: DefinedNetwork): readonly NetFinding[] {
  const others = differences(runs, defined);
  if (others.length === 0) return [];
  return [
    {
      id: 'net-definition',
      about: defined.name,
      state: 'warning',
      fact: `it runs otherwise than it is defined: ${others.join('; ')}`,
      cure: [`sudo qlaunch net restart ${defined.name}`],
    },
  ];
}
