/** The keys of each --net mode. README's table of --net is made from the same names. */
import { type Forward, parseForward } from '../forward.ts';
import { type IfName, parseIfName, parseNewIfName } from '../ifname.ts';
import { parseIPv4, parseIPv6 } from '../ip.ts';
import { parseNetworkName } from '../nat/words.ts';
import type {
  BridgeNet,
  NatNet,
  NetSpec,
  NicCommon,
  PasstNet,
  TapNet,
  UserNet,
  VfioNet,
  VfNet,
} from '../net-spec.ts';
import { parseSwitch } from '../number.ts';
import { parsePath } from '../path.ts';
import { parseAntispoof, parseRate, parseTrunk, parseVlan } from '../port.ts';
import type { PropReaders } from '../props.ts';
import { type Gathering, isProblem, type Problem, type RawProp } from '../raw.ts';
import { parseBytes } from '../size.ts';
import { parseText } from '../text.ts';
import { selectorText } from '../vfio/hostdev.ts';
import { Fields, parseDomain, parseUserNetwork, whole } from './fields.ts';
import { parseGuestForward } from './guest-forward.ts';

/** What `MODE:ARG` is short for; a mode that is not here takes no argument. */
export const MAIN_KEY: Readonly<Partial<Record<NetSpec['mode'], string>>> = {
  bridge: 'bridge',
  tap: 'ifname',
  nat: 'network',
  vfio: 'device',
  vf: 'pf',
};

/** The keys of one mode, and how a NIC is made of what they said. */
interface ModeKeys {
  readonly readers: PropReaders;
  finish(nic: NicCommon): NetSpec | undefined;
}

type MakeKeys = (gathering: Gathering, home: string) => ModeKeys;

const user: MakeKeys = (gathering, home) => {
  const f = new Fields<UserNet>(gathering, home);
  const forwards: Forward[] = [];
  const dnsSearch: string[] = [];
  const guestForwards: string[] = [];
  const readers = {
    net: f.set('net', parseUserNetwork),
    host: f.set('host', parseIPv4),
    dns: f.set('dns', parseIPv4),
    dhcpstart: f.set('dhcpStart', parseIPv4),
    hostname: f.set('hostname', parseDomain),
    dnssearch: f.add(dnsSearch, parseDomain),
    tftp: f.path('tftp'),
    bootfile: f.set('bootFile', parseText),
    smb: f.path('smb'),
    smbserver: f.set('smbServer', parseIPv4),
    restrict: f.set('restrict', parseSwitch),
    ipv4: f.set('ipv4', parseSwitch),
    ipv6: f.set('ipv6', parseSwitch),
    'ipv6-prefix': f.set('ipv6Prefix', parseIPv6),
    'ipv6-prefixlen': f.set('ipv6PrefixLen', whole(0, 126)),
    'ipv6-host': f.set('ipv6Host', parseIPv6),
    'ipv6-dns': f.set('ipv6Dns', parseIPv6),
    fwd: f.add(forwards, parseForward),
    guestfwd: f.add(guestForwards, parseGuestForward),
  };
  const lists = { forwards, dnsSearch, guestForwards };
  return { readers, finish: (nic) => ({ restrict: false, ...f.draft, ...lists, ...nic, mode: 'user' }) };
};

const passt: MakeKeys = (gathering, home) => {
  const f = new Fields<PasstNet>(gathering, home);
  const forwards: Forward[] = [];
  const readers = {
    address: f.set('address', parseIPv4),
    gateway: f.set('gateway', parseIPv4),
    interface: f.set('interface', parseIfName),
    fwd: f.add(forwards, parseForward),
  };
  return { readers, finish: (nic) => ({ ...f.draft, forwards, ...nic, mode: 'passt' }) };
};

const bridge: MakeKeys = (gathering, home) => {
  const f = new Fields<BridgeNet>(gathering, home);
  const readers = {
    bridge: f.set('bridge', parseIfName),
    helper: f.path('helper'),
    vhost: f.set('vhost', parseSwitch),
  };
  // br0 is QEMU's own default: DEFAULT_BRIDGE_INTERFACE in include/net/net.h.
  return { readers, finish: (nic) => ({ bridge: 'br0' as IfName, ...f.draft, ...nic, mode: 'bridge' }) };
};

const tap: MakeKeys = (gathering, home) => {
  const f = new Fields<TapNet>(gathering, home);
  const script = (prop: RawProp): string | Problem => {
    if (prop.text === 'no' || prop.text === '') return 'no';
    return prop.text === 'yes' ? 'yes' : parsePath(prop, home);
  };
  const readers = {
    ifname: f.set('ifname', parseNewIfName),
    bridge: f.set('bridge', parseIfName),
    script: f.setFrom('script', script),
    downscript: f.setFrom('downscript', script),
    vhost: f.set('vhost', parseSwitch),
    vhostforce: f.set('vhostForce', parseSwitch),
    sndbuf: f.set('sndbuf', parseSndbuf),
    vnet_hdr: f.set('vnetHdr', parseSwitch),
    fd: f.set('fd', whole(3, 2 ** 20)),
    vhostfd: f.set('vhostFd', whole(3, 2 ** 20)),
    isolated: f.set('isolated', parseSwitch),
    vlan: f.set('vlan', parseVlan),
    trunk: f.set('trunk', parseTrunk),
    rate: f.set('rate', parseRate),
    antispoof: f.set('antispoof', parseAntispoof),
  };
  return { readers, finish: (nic) => ({ ...f.draft, ...nic, mode: 'tap' }) };
};

/** Bytes. QEMU's int; its INT_MAX means "no limit", which is what it does without the key. */
function parseSndbuf(text: string, at: string): number | Problem {
  const bytes = parseBytes(text, at);
  return isProblem(bytes) || bytes < 2 ** 31 ? bytes : { at, what: `"${text}" must be below 2G` };
}

const nat: MakeKeys = (gathering, home) => {
  const f = new Fields<NatNet>(gathering, home);
  const forwards: Forward[] = [];
  const readers = {
    network: f.set('network', parseNetworkName),
    portgroup: f.set('portgroup', parseText),
    ip: f.set('ip', parseIPv4),
    hostname: f.set('hostname', parseDomain),
    fwd: f.add(forwards, parseForward),
  };
  return { readers, finish: (nic) => ({ network: 'default', ...f.draft, forwards, ...nic, mode: 'nat' }) };
};

const vfio: MakeKeys = (gathering, home) => {
  const f = new Fields<VfioNet>(gathering, home);
  const finish = (nic: NicCommon): VfioNet | undefined => {
    const { selector } = f.draft;
    if (selector !== undefined) return { ...f.draft, selector, ...nic, mode: 'vfio' };
    return gathering.refuse(
      nic.at,
      'the device is missing',
      'vfio:0000:81:00.0, or vfio: and an interface name',
    );
  };
  return {
    readers: { device: f.set('selector', selectorText), group: f.set('wholeGroup', parseSwitch) },
    finish,
  };
};

const vf: MakeKeys = (gathering, home) => {
  const f = new Fields<VfNet>(gathering, home);
  const finish = (nic: NicCommon): VfNet | undefined => {
    const { pf } = f.draft;
    if (pf !== undefined) return { ...f.draft, pf, ...nic, mode: 'vf' };
    return gathering.refuse(nic.at, 'the physical function is missing', 'vf:enp1s0f0, or vf:enp1s0f0/vf2');
  };
  const readers = {
    pf: f.set('pf', selectorText),
    vf: f.set('vf', whole(0, 255)),
    vlan: f.set('vlan', whole(0, 4094)),
    rate: f.set('rate', whole(1, 1_000_000)),
    spoofchk: f.set('spoofchk', parseSwitch),
    trust: f.set('trust', parseSwitch),
  };
  return { readers, finish };
};

export const MODES: Readonly<Record<NetSpec['mode'], MakeKeys>> = { user, passt, bridge, tap, nat, vfio, vf };

/** QEMU's words for things that have another name, or another place, here. */
export const NET_HINTS: Readonly<Record<string, string>> = {
  hostfwd: 'fwd=[tcp|udp:][ADDR:]HOST:GUEST, as in fwd=2222:22',
  br: '--net bridge:BR goes through the helper, --net tap:IFNAME,bridge=BR makes a tap',
  helper: '--net bridge:BR,helper=FILE',
  name: 'id=NAME',
  macaddr: 'mac=52:54:00:…',
  vlan: 'QEMU 3.0 took vlan= away; give each NIC its own --net',
  fds: 'fd=N for one queue, or let QEMU open the tap by name with queues=N',
  vhostfds: 'vhostfd=N for one queue',
  host_mtu: 'mtu=N',
  mq: 'queues=N',
  romfile: 'rom=FILE',
};
