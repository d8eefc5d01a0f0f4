/** What is wrong with a bridge, as far as its own settings and its ports show it. */
import type { Board, Bridge } from '../map/board.ts';
import type { Device } from '../map/device.ts';
import { shellWord } from '../shell.ts';
import type { Finding } from './finding.ts';
import { bringUp } from './steps.ts';

export function bridgeFindings({ bridges }: Board): readonly Finding[] {
  if (bridges.length === 0)
    return [{ id: 'bridge', state: 'ok', fact: 'no bridge on this host; --net user and passt need none' }];
  return bridges.flatMap((bridge) => {
    const wrong = [
      ...down(bridge),
      ...bridge.uplinks.flatMap((uplink) => [...uplinkDown(bridge, uplink), ...address(bridge, uplink)]),
      ...slowPorts(bridge),
      ...[...bridge.uplinks, ...bridge.ports].flatMap((port) => silent(bridge, port)),
      ...mtu(bridge),
    ];
    return wrong.length > 0 ? wrong : [well(bridge)];
  });
}

function well({ name, uplinks, ports }: Bridge): Finding {
  const lead =
    uplinks.length === 0
      ? 'no uplink: guests there reach this host and each other'
      : `uplink ${uplinks.map((uplink) => uplink.name).join(', ')}`;
  const count = `${ports.length} other port${ports.length === 1 ? '' : 's'}`;
  return { id: 'bridge', about: name, state: 'ok', fact: `up; ${lead}; ${count}` };
}

function down({ name, state }: Bridge): readonly Finding[] {
  if (state !== 'down') return [];
  return [
    {
      id: 'bridge',
      about: name,
      state: 'warning',
      fact: 'it is down: nothing passes it',
      // A name with control bytes is not shown as it is (ip-json.ts), so it can not be typed either.
      ...(name.includes('\uFFFD')
        ? {}
        : { cure: [`sudo ip link set ${shellWord(name)} up`], fix: { steps: [bringUp(name)] } }),
    },
  ];
}

function uplinkDown({ name }: Bridge, uplink: Device): readonly Finding[] {
  if (uplink.state !== 'down' && uplink.state !== 'no carrier') return [];
  const isDown = uplink.state === 'down';
  return [
    {
      id: 'bridge-uplink',
      about: name,
      state: 'warning',
      fact: `its uplink ${uplink.name} ${isDown ? 'is down' : 'has no carrier'}: guests do not get out`,
      cure: [
        isDown ? `sudo ip link set ${shellWord(uplink.name)} up` : `look at the cable of ${uplink.name}`,
      ],
    },
  ];
}

/** With an address on the port, answers go out by the port while the bridge takes what comes in. */
function address({ name }: Bridge, uplink: Device): readonly Finding[] {
  if (uplink.addresses.length === 0) return [];
  const [port, bridge] = [shellWord(uplink.name), shellWord(name)];
  const move = uplink.addresses.map(
    (cidr) => `sudo sh -c 'ip address del ${cidr} dev ${port} && ip address add ${cidr} dev ${bridge}'`,
  );
  return [
    {
      id: 'bridge-port-address',
      about: name,
      state: 'warning',
      fact: `its port ${uplink.name} has the address ${uplink.addresses.join(', ')}, which belongs on ${name}`,
      cure: [...move, `ip route show dev ${port}   # these routes go with it: add them again on ${name}`],
    },
  ];
}

/** Listening and learning take the forward delay each (IEEE 802.1D); DHCP clients give up after about ten seconds. */
function slowPorts({ name, stp, forwardDelayMs }: Bridge): readonly Finding[] {
  const silentS = (2 * forwardDelayMs) / 1000;
  if (!stp || silentS <= 5) return [];
  return [
    {
      id: 'bridge-stp',
      about: name,
      state: 'warning',
      fact: `STP keeps a new port silent for ${silentS} s: a guest may give up asking for an address`,
      cure: [
        `sudo ip link set ${shellWord(name)} type bridge forward_delay 200`,
        `or without a loop of bridges: sudo ip link set ${shellWord(name)} type bridge stp_state 0`,
      ],
    },
  ];
}

function silent({ name, stp }: Bridge, port: Device): readonly Finding[] {
  if (!/^(blocking|disabled|listening|learning)$/.test(port.state)) return [];
  return [
    {
      id: 'bridge-port',
      about: `${name} ${port.name}`,
      state: 'warning',
      fact: `its port ${port.name} is ${port.state}${stp ? ', by STP' : ''}`,
      cure: [`bridge -d link show dev ${shellWord(port.name)}`],
    },
  ];
}

/** A bridge drops what is too long for the port it is to leave by; there is no ICMP to say so. */
function mtu({ name, uplinks, ports }: Bridge): readonly Finding[] {
  const least = Math.min(...uplinks.map((uplink) => uplink.mtu));
  const long = ports.filter((port) => port.mtu > least).map((port) => port.name);
  if (long.length === 0) return [];
  return [
    {
      id: 'bridge-mtu',
      about: name,
      state: 'warning',
      fact: `its uplink takes ${least} bytes, ${long.join(', ')} more: long packets vanish`,
      cure: [
        `--net …,mtu=${least}`,
        ...long.map((port) => `sudo ip link set ${shellWord(port)} mtu ${least}`),
      ],
    },
  ];
}
