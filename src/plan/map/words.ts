/** What is said about a device, a guest or a VM: the same words in the text and in the picture. */
import type { BoardNic, BoardVm, Bridge } from './board.ts';
import type { Device, Rates } from './device.ts';
import type { Piece, Tone } from './row.ts';
import type { GuestEnd } from './wires.ts';

const faint = (text: string): Piece => ({ text, tone: 'faint' });
const plain = (text: string): Piece => ({ text });

export function stateTone(state: string): Tone {
  if (state === 'up' || state === 'running' || state === 'in use') return 'good';
  return /^(learning|listening|starting|not in use)$/.test(state) ? 'waiting' : 'bad';
}

/** A tap without a reader has no carrier: that is how it waits for its VM. */
function stateWords({ what, state }: Device): Piece {
  const text = what === 'tap' && state === 'no carrier' ? 'not in use' : state;
  return { text, tone: stateTone(text) };
}

export function bridgeFacts(bridge: Bridge): readonly Piece[] {
  return [
    plain('bridge'),
    stateWords(bridge),
    ...bridge.addresses.map(plain),
    ...(bridge.defaultRoute ? [plain('default route')] : []),
    ...(bridge.mac === undefined ? [] : [faint(bridge.mac)]),
    ...mtu(bridge),
    ...(bridge.stp ? [plain('STP')] : []),
    ...(bridge.vlanFiltering ? [plain('VLAN filtering')] : []),
    ...made(bridge),
    ...(bridge.uplinks.length === 0 ? [plain('no uplink')] : []),
    ...(bridge.ports.length === 0 && bridge.uplinks.length === 0 ? [plain('no ports')] : []),
  ];
}

/** A guest's tap says whose it is; its own MAC says nothing. */
export function deviceFacts(device: Device, isPort = false): readonly Piece[] {
  const { guest, mac, owner, holder, master } = device;
  if (guest !== undefined)
    return [...guestFacts(guest), ...oddState(device), ...portFacts(device), ...rates(device.rates)];
  // Drawn in full where it is a port, or below the bundle that it is a part of.
  if (!isPort && master !== undefined) return [plain(device.what), stateWords(device), plain(`in ${master}`)];
  return [
    plain(device.what),
    stateWords(device),
    ...device.addresses.map(plain),
    ...(device.defaultRoute ? [plain('default route')] : []),
    ...(mac === undefined ? [] : [faint(mac)]),
    ...(device.bus === undefined ? [] : [faint(device.bus)]),
    ...mtu(device),
    ...(owner === undefined ? [] : [plain(`for ${owner}`)]),
    ...(holder === undefined ? unknownHolder(device) : held(holder)),
    ...peer(device),
    ...portFacts(device),
    ...made(device),
    ...rates(device.rates),
  ];
}

/** Of a tap whose guest stands beside it. */
export function tapFacts(device: Device): readonly Piece[] {
  return [
    plain(device.what),
    stateWords(device),
    ...portFacts(device),
    ...made(device),
    ...rates(device.rates),
  ];
}

export function guestFacts(guest: GuestEnd): readonly Piece[] {
  return [
    plain(guest.nic),
    { text: guest.state, tone: stateTone(guest.state) },
    ...addressWords(guest.addresses),
    faint(guest.mac),
  ];
}

/** Link-local ones only when there is nothing better. */
export function addressWords(addresses: GuestEnd['addresses']): readonly Piece[] {
  const far = addresses.filter(({ address }) => !address.startsWith('fe80:'));
  const shown = far.length > 0 ? far : addresses;
  return shown.map(({ address, source }) => plain(source === 'lease' ? `${address} (lease)` : address));
}

export function nicFacts(nic: BoardNic): readonly Piece[] {
  const where =
    nic.mode === 'user'
      ? 'user network, no host port'
      : nic.mode === 'passt'
        ? 'passt, no host port'
        : nic.bridge === undefined
          ? nic.mode
          : `${nic.mode} on ${nic.bridge}, its tap is not seen`;
  return [plain(where), ...nic.forwards.map(plain), ...addressWords(nic.addresses), faint(nic.mac)];
}

export const vmFacts = ({ state, pid, elsewhere }: BoardVm): readonly Piece[] => [
  { text: state, tone: stateTone(state) },
  ...(elsewhere ? [plain('in another network namespace')] : []),
  ...(pid === undefined ? [] : [faint(`process ${pid}`)]),
];

/** By a process that is no VM of ours. */
const held = ({ guest, program, pid }: NonNullable<Device['holder']>): readonly Piece[] => [
  ...(guest === undefined ? [] : [plain(`guest ${guest}`)]),
  plain(`${program}, process ${pid}`),
];

const oddState = (device: Device): readonly Piece[] => (device.state === 'up' ? [] : [stateWords(device)]);

const unknownHolder = ({ what, state }: Device): readonly Piece[] =>
  what === 'tap' && state === 'up' ? [plain('in use by a process that root can see')] : [];

const mtu = ({ mtu: bytes }: Device): readonly Piece[] => (bytes === 1500 ? [] : [plain(`MTU ${bytes}`)]);

const made = ({ alias }: Device): readonly Piece[] =>
  alias?.startsWith('qlaunch:') === true ? [faint('made by qlaunch')] : [];

function peer({ peer: name, elsewhere }: Device): readonly Piece[] {
  if (name !== undefined) return [plain(`other end ${name}`)];
  return elsewhere ? [plain('other end in another namespace')] : [];
}

const portFacts = ({ isolated, vlans }: Device): readonly Piece[] => [
  ...(isolated ? [plain('isolated')] : []),
  ...(vlans.length === 0 || vlans.join() === '1 untagged' ? [] : [plain(`VLAN ${vlans.join(' ')}`)]),
];

function rates(rate: Rates | undefined): readonly Piece[] {
  if (rate === undefined) return [];
  if (rate.inBitsPerSecond === 0 && rate.outBitsPerSecond === 0) return [faint('idle')];
  return [plain(`in ${bits(rate.inBitsPerSecond)}`), plain(`out ${bits(rate.outBitsPerSecond)}`)];
}

/** "0 bit/s", "340 kbit/s", "1.2 Gbit/s": decimal units, as networks count. */
export function bits(perSecond: number): string {
  const units = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s'];
  let [value, unit] = [perSecond, 0];
  while (value >= 999.5 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  const digits = unit > 0 && value < 9.95 ? value.toFixed(1) : String(Math.round(value));
  return `${digits} ${units[unit]}`;
}

/** Below a device, from the bottom up: ["eth0 + eth1 (down)", "bond0"]. Its own state stands among its facts. */
export function levelsBelow({ stack = [] }: Device): readonly string[] {
  return stack
    .slice(0, -1)
    .map((level) =>
      level.map(({ name, state }) => (state === 'up' ? name : `${name} (${state})`)).join(' + '),
    );
}

/** "eth0 + eth1 (down) - bond0 - bond0.5" */
export function stackWords(device: Device, between: string): string {
  return [...levelsBelow(device), device.name].join(between);
}
