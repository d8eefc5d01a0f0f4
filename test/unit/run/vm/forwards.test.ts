import { expect, test } from 'vitest';
import { withPorts } from '../../../../src/run/vm/forwards.ts';

/** As QEMU 7.2 and 10.0 answer. */
const USERNET = [
  'Hub -1 (net0):',
  '  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ',
  '  TCP[ESTABLISHED]   21       10.0.2.15 52100       192.0.2.7    22     0     0',
  '  TCP[HOST_FORWARD]   8       127.0.0.1 36827       10.0.2.15    22     0     0',
  '  TCP[HOST_FORWARD]   9       127.0.0.1 36828       10.0.2.15    22     0     0',
  '  TCP[HOST_FORWARD]  10               * 40000       10.0.2.15    80     0     0',
  '  UDP[HOST_FORWARD]   3       127.0.0.1 48824       10.0.2.15    53     0     0',
  'Hub -1 (b):',
  '  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ',
  '  TCP[HOST_FORWARD]  11       127.0.0.1 46339       10.0.2.15    22     0     0',
  '',
].join('\r\n');

const forward = (hostPort: number, guestPort: number, proto = 'tcp', address = '127.0.0.1') => ({
  proto,
  address,
  hostPort,
  guestPort,
});
const nic = (id: string, ...forwards: ReturnType<typeof forward>[]) => ({
  id,
  mode: 'user',
  mac: '',
  forwards,
});

test('each open forward gets the port that QEMU listens on, and given ones stay', () => {
  const nics = [
    nic('net0', forward(36827, 22), forward(0, 22), forward(0, 53, 'udp'), forward(0, 80, 'tcp', '0.0.0.0')),
    nic('b', forward(0, 22)),
  ];
  const ports = withPorts(nics, USERNET).map(({ forwards }) => forwards.map(({ hostPort }) => hostPort));
  expect(ports).toEqual([[36827, 36828, 48824, 40000], [46339]]);
});

test('what QEMU does not list stays open, and is not guessed', () => {
  expect(withPorts([nic('c', forward(0, 22))], USERNET)[0]?.forwards).toEqual([forward(0, 22)]);
});
