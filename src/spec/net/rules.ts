/** Combinations of one NIC's keys that QEMU refuses, silently misreads or crashes on: qemu.md 2.3, 3.1, 5 and 9. */
import { type Cidr, contains, nthAddress, parseCidr } from '../cidr.ts';
import { clash, type Forward } from '../forward.ts';
import { formatIp, readIp } from '../ip.ts';
import type { NetSpec, PasstNet, TapNet, UserNet } from '../net-spec.ts';
import { type Gathering, isProblem } from '../raw.ts';
import { guestForwardParts } from './guest-forward.ts';

/** `given`: the keys that were written, since a default never contradicts anything. */
export function checkNet(net: NetSpec, given: ReadonlySet<string>, gathering: Gathering): void {
  const refuse = (what: string, hint?: string): void => void gathering.refuse(net.at, what, hint);
  checkModel(net, given, refuse);
  if (net.mode === 'tap') checkTap(net, given, refuse);
  if (net.mode === 'user') checkUser(net, given, refuse);
  if (net.mode === 'passt') checkPasst(net, refuse);
  if (given.has('rom') && given.has('romfile')) refuse('rom and romfile are the same key; give one');
  if ('forwards' in net) checkForwards(net.forwards, refuse);
}

type Refuse = (what: string, hint?: string) => void;

const QUEUED: ReadonlySet<NetSpec['mode']> = new Set(['tap', 'nat']);

function checkModel(net: NetSpec, given: ReadonlySet<string>, refuse: Refuse): void {
  if (net.mode === 'vfio' || net.mode === 'vf') {
    const own = net.mode === 'vfio' ? ['model', 'queues', 'mtu', 'mac'] : ['model', 'queues', 'mtu'];
    for (const key of own)
      if (given.has(key)) refuse(`${key} can not be chosen: the guest gets the real device`);
    return;
  }
  if (net.model !== 'virtio') {
    if (net.mtu !== undefined) refuse(`mtu needs model virtio; a ${net.model} has no way to tell the guest`);
    if (net.queues > 1) refuse(`queues needs model virtio; a ${net.model} has one queue`);
  }
  if (net.queues > 1 && net.mode === 'bridge')
    refuse(
      'queues can not be used with the bridge helper, which opens one queue',
      `tap:IFNAME,bridge=…,queues=${net.queues}`,
    );
  else if (net.queues > 1 && !QUEUED.has(net.mode)) refuse(`queues: mode ${net.mode} has one queue`);
}

/** down_script in TAPState, net/tap.c: the rest is cut off silently. */
const DOWNSCRIPT_BYTES = 1023;

function checkTap(net: TapNet, given: ReadonlySet<string>, refuse: Refuse): void {
  if (net.fd !== undefined)
    for (const key of ['ifname', 'bridge', 'script', 'downscript', 'vnet_hdr', 'queues'])
      if (given.has(key)) refuse(`${key} can not be used with fd: the tap is open already`);
  for (const key of ['isolated', 'vlan', 'trunk', 'rate', 'antispoof'])
    if (given.has(key) && net.bridge === undefined)
      refuse(`${key} is about the port of a bridge`, 'tap,bridge=BR makes one');
  if (net.trunk !== undefined && net.antispoof !== undefined)
    refuse('antispoof looks at untagged frames; a trunk has tagged ones');
  if (net.vhost === false)
    for (const key of ['vhostfd', 'vhostforce'])
      if (given.has(key)) refuse(`${key} can not be used with vhost=off`);
  if (net.vhostFd !== undefined && net.queues > 1) refuse('vhostfd serves one queue');
  if (net.fd !== undefined && net.fd === net.vhostFd) refuse('fd and vhostfd are the same descriptor');
  if (net.vhost === true && net.vnetHdr === false) refuse('vhost=on needs vnet_hdr');
  if (net.script !== undefined && net.bridge !== undefined)
    refuse(
      'bridge is ignored by QEMU when a script is given',
      'leave one of them out; without script= qlaunch attaches the tap',
    );
  if (net.downscript !== undefined && Buffer.byteLength(net.downscript) > DOWNSCRIPT_BYTES)
    refuse(`the path of downscript is longer than the ${DOWNSCRIPT_BYTES} bytes that QEMU remembers`);
  if (net.script !== undefined && net.script !== 'no' && net.ifname === undefined && net.fd === undefined)
    return;
  if (net.script === 'no' && net.ifname === undefined)
    refuse('script=no needs the ifname of a tap that is there already');
  if (
    net.script === undefined &&
    net.downscript !== undefined &&
    net.downscript !== 'no' &&
    net.fd === undefined
  )
    refuse('downscript without script: the tap that qlaunch makes is taken back by qlaunch');
}

function checkUser(net: UserNet, given: ReadonlySet<string>, refuse: Refuse): void {
  const v4Keys = ['net', 'host', 'dns', 'dhcpstart', 'smbserver', 'fwd'].filter((key) => given.has(key));
  if (net.ipv4 === false && net.ipv6 === false) refuse('ipv4=off and ipv6=off leave nothing');
  if (net.ipv4 === false) for (const key of v4Keys) refuse(`${key} can not be used with ipv4=off`);
  const v6Keys = ['ipv6-prefix', 'ipv6-prefixlen', 'ipv6-host', 'ipv6-dns'].filter((key) => given.has(key));
  if (net.ipv6 === false) for (const key of v6Keys) refuse(`${key} can not be used with ipv6=off`);
  // slirp's own network, and what it puts where in any network.
  const cidr = parseCidr(net.net ?? '10.0.2.0/24', net.at);
  if (isProblem(cidr)) return;
  const inside = { host: net.host, dns: net.dns, dhcpstart: net.dhcpStart, smbserver: net.smbServer };
  for (const [key, text] of Object.entries(inside)) {
    const ip = text === undefined ? undefined : readIp(text);
    if (ip && !contains(cidr, ip)) refuse(`${key} ${text} is not in ${net.net ?? '10.0.2.0/24'}`);
  }
  for (const text of net.guestForwards) {
    const { address } = guestForwardParts(text) ?? {};
    const ip = address === undefined ? undefined : readIp(address);
    if (ip === undefined || address === undefined) continue;
    // slirp_add_exec() in libslirp: the host and the name server answer there themselves.
    const own = [net.host ?? nth(cidr, 2n), net.dns ?? nth(cidr, 3n)];
    if (!contains(cidr, ip)) refuse(`guestfwd ${address} is not in ${net.net ?? '10.0.2.0/24'}`);
    else if (own.includes(address)) refuse(`guestfwd: ${address} is taken by slirp itself`);
  }
  if (net.host !== undefined && net.host === net.dns) refuse('host and dns must differ');
  if (net.dhcpStart !== undefined && [net.host, net.dns].includes(net.dhcpStart))
    refuse('dhcpstart must differ from host and dns');
}

function nth(cidr: Cidr, n: bigint): string | undefined {
  const ip = nthAddress(cidr, n);
  return ip && formatIp(ip);
}

function checkPasst(net: PasstNet, refuse: Refuse): void {
  for (const forward of net.forwards) {
    if (forward.hostPort === 0) refuse('fwd: passt can not choose a host port; give one');
    if (forward.guestAddress !== undefined)
      refuse('fwd: passt forwards to its one guest; leave the address out');
  }
}

function checkForwards(forwards: readonly Forward[], refuse: Refuse): void {
  forwards.forEach((forward, i) => {
    if (forwards.slice(0, i).some((earlier) => clash(earlier, forward))) refuse(forwardedTwice(forward));
  });
}

export function forwardedTwice({ proto, hostPort }: Forward): string {
  return `fwd: ${proto} port ${hostPort} of the host is forwarded twice`;
}
