import type { Forward, PasstNet } from '../../../spec/net-spec.ts';
import { atLeast, type QemuCaps } from '../caps.ts';
import type { QemuContext } from '../context.ts';
import { opt } from '../opt.ts';

/** QEMU 10.1 and later start passt themselves; before that it is a program of its own that runs beside QEMU. */
export function nativePasst(caps: QemuCaps): boolean {
  return caps.netdevs.has('passt') && atLeast(caps, 10, 1);
}

export function passtBackend(net: PasstNet, { caps, paths }: QemuContext): string {
  if (!nativePasst(caps))
    return opt('stream', {
      id: net.id,
      server: false,
      'addr.type': 'unix',
      'addr.path': paths.passtSock(net.id),
    });
  const ports = (proto: Forward['proto']): string[] =>
    net.forwards.filter((forward) => forward.proto === proto).map(portText);
  const { id, mtu, address, gateway, interface: outbound } = net;
  const addresses = { mtu, address, gateway, interface: outbound };
  return opt('passt', { id, ...addresses, 'tcp-ports': ports('tcp'), 'udp-ports': ports('udp') });
}

/** passt(1): `-t ADDRESS/HOST:GUEST`. */
function portText({ address, hostPort, guestPort }: Forward): string {
  return `${address}/${hostPort}:${guestPort}`;
}

/** The passt that must listen on `socket` before QEMU starts; it ends when QEMU closes the connection. */
export function passtArgv(net: PasstNet, socket: string): readonly [string, ...string[]] {
  return [
    'passt',
    '--foreground',
    '--one-off',
    '--socket',
    socket,
    ...(net.mtu === undefined ? [] : ['--mtu', String(net.mtu)]),
    ...(net.address === undefined ? [] : ['--address', net.address]),
    ...(net.gateway === undefined ? [] : ['--gateway', net.gateway]),
    ...(net.interface === undefined ? [] : ['--interface', net.interface]),
    ...net.forwards.flatMap((forward) => [
      forward.proto === 'tcp' ? '--tcp-ports' : '--udp-ports',
      portText(forward),
    ]),
  ];
}
