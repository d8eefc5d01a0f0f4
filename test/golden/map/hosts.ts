/** Hosts as one look would find them. */
import type { BoardFacts, BoardLink, BoardVmFact, Counters } from '../../../src/plan/map/facts.ts';

const NOTHING: Counters = { bytes: 0, packets: 0, errors: 0, dropped: 0 };
let count = 0;

function link(name: string, given: Partial<BoardLink> = {}): BoardLink {
  count += 1;
  return {
    ...{ ifindex: count, name, ethernet: true, mtu: 1500, elsewhere: false, up: true, carrier: true },
    ...{ isolated: false, vlans: [], addresses: [], received: NOTHING, sent: NOTHING },
    mac: `52:54:00:aa:00:${count.toString(16).padStart(2, '0')}`,
    ...given,
  };
}

const port = (name: string, master: string, given: Partial<BoardLink> = {}): BoardLink =>
  link(name, { master, portState: 'forwarding', ...given });
const tap = (name: string, master: string, given: Partial<BoardLink> = {}): BoardLink =>
  port(name, master, { kind: 'tun', detail: 'tap', ...given });
const bridge = (name: string, cidr: string, given: Partial<BoardLink> = {}): BoardLink =>
  link(name, {
    kind: 'bridge',
    stp: false,
    vlanFiltering: false,
    addresses: cidr === '' ? [] : [{ cidr, linkLocal: false }],
    ...given,
  });

function vm(name: string, pid: number, nics: BoardVmFact['nics']): BoardVmFact {
  return { name, uid: 1000, state: 'running', pid, elsewhere: false, nics };
}

const flow = (bytes: number): Counters => ({ bytes, packets: bytes / 1000, errors: 0, dropped: 0 });

/** A server: a VLAN on a bond into br0, libvirt's bridge, a container, a NIC without a bridge, and five VMs. */
export const SERVER: BoardFacts = {
  atMs: 1000,
  links: [
    link('lo', { ethernet: false }),
    link('enp3s0f0', { bus: 'pci 0000:03:00.0', master: 'bond0' }),
    link('enp3s0f1', { bus: 'pci 0000:03:00.1', master: 'bond0', carrier: false }),
    link('enp4s0', { bus: 'pci 0000:04:00.0', up: false, carrier: false }),
    link('bond0', {
      kind: 'bond',
      detail: 'bond 802.3ad',
      addresses: [{ cidr: 'fe80::1/64', linkLocal: true }],
    }),
    bridge('br0', '192.0.2.10/24', { vlanFiltering: true, stp: true, alias: 'qlaunch:net:default:0123' }),
    port('bond0.10', 'br0', { kind: 'vlan', detail: 'VLAN 10', lower: 'bond0' }),
    tap('qt-web0', 'br0', {
      alias: 'qlaunch:vm:web',
      isolated: true,
      received: flow(5_000),
      sent: flow(1_000),
    }),
    tap('qt-database0', 'br0', { vlans: ['20 untagged', '30-40'] }),
    tap('tap7', 'br0', { owner: 'alice', carrier: false, portState: 'disabled' }),
    tap('tap8', 'br0'),
    port('vethc0ffee', 'br0', { kind: 'veth', elsewhere: true }),
    bridge('virbr0', '192.168.122.1/24', { carrier: false }),
    bridge('br-lab', ''),
    tap('vnet3', 'br-lab'),
    link('wlp2s0', {
      bus: 'pci 0000:02:00.0',
      addresses: [
        { cidr: '198.51.100.77/24', linkLocal: false },
        { cidr: '2001:db8:1234:5678:9abc:def0:1234:5678/64', linkLocal: false },
      ],
    }),
    link('mv0', { kind: 'macvlan', detail: 'macvlan bridge', lower: 'wlp2s0' }),
    port('vx42', 'br-lab', { kind: 'vxlan', detail: 'vxlan 42', lower: 'wlp2s0', mtu: 1450 }),
    link('tap-alone', { kind: 'tun', detail: 'tap' }),
  ],
  defaultDevices: ['br0', 'wlp2s0'],
  neighbours: [
    { address: 'fe80::5054:ff:fe00:1', mac: '52:54:00:00:00:01', source: 'neighbour' },
    { address: '192.0.2.31', mac: '52:54:00:00:00:01', source: 'neighbour' },
    { address: '192.0.2.32', mac: '52:54:00:00:00:02', source: 'lease' },
    { address: '2001:db8::2', mac: '52:54:00:00:00:02', source: 'neighbour' },
  ],
  learned: [{ mac: '52:54:00:00:00:02', port: 'qt-database0' }],
  holders: [
    { pid: 1501, program: 'qemu-system-x86_64', guest: 'web', taps: ['qt-web0'] },
    { pid: 1502, program: 'qemu-system-x86_64', guest: 'database', taps: ['vnet3', 'qt-database0'] },
    { pid: 1507, program: 'qemu-system-x86_64', guest: 'by hand', taps: ['tap-alone'] },
  ],
  vms: [
    vm('web', 1501, [
      { id: 'net0', mode: 'tap', mac: '52:54:00:00:00:01', ifname: 'qt-web0', forwards: [] },
      { id: 'net1', mode: 'user', mac: '52:54:00:00:00:11', forwards: ['tcp 127.0.0.1:2222 to 22'] },
    ]),
    vm('database', 1502, [
      { id: 'net0', mode: 'bridge', mac: '52:54:00:00:00:02', bridge: 'br0', forwards: [] },
      { id: 'net1', mode: 'bridge', mac: '52:54:00:00:00:12', bridge: 'br-lab', forwards: [] },
    ]),
    vm('a-machine-with-a-name-as-long-as-names-of-machines-may-ever-become', 1503, [
      { id: 'net0', mode: 'passt', mac: '52:54:00:00:00:03', forwards: ['tcp 8080 to 80', 'udp 5353 to 53'] },
    ]),
    {
      ...vm('elsewhere', 1504, [
        { id: 'net0', mode: 'bridge', mac: '52:54:00:00:00:04', bridge: 'br0', forwards: [] },
      ]),
      elsewhere: true,
    },
    { ...vm('mute', 1505, []), state: 'starting' },
  ],
};

/** A second look at the same host, two seconds later. */
export const LATER: BoardFacts = {
  ...SERVER,
  atMs: 3000,
  links: SERVER.links.map((one) =>
    one.name === 'qt-web0' ? { ...one, received: flow(305_000), sent: flow(86_000) } : one,
  ),
};

/** Names that would draw, write or run something else. */
export const HOSTILE: BoardFacts = {
  ...{ atMs: 0, defaultDevices: [], neighbours: [], learned: [], holders: [] },
  links: [
    link('eth\u001b[31m', { bus: 'pci 0000:00:03.0', master: 'b<r>&"\'', portState: 'forwarding' }),
    bridge('b<r>&"\'', ''),
    tap('\u202Etxt.gpj', 'b<r>&"\'', { portState: 'learning' }),
    tap('\uFFFF网桥接口', 'b<r>&"\''),
    tap('tap-plain', 'b<r>&"\'', { owner: '\u009b2J' }),
  ],
  vms: [vm('<script>', 1, [{ id: 'net0', mode: 'user', mac: 'x"y', forwards: [] }])],
};

export const EMPTY: BoardFacts = {
  ...{ atMs: 0, defaultDevices: [], neighbours: [], learned: [], holders: [], vms: [] },
  links: [link('lo', { ethernet: false })],
};
