import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import {
  checkReadable,
  checkSocketPath,
  checkWritable,
} from '../../../../../src/host/qemu/preflight/paths.ts';
import { checkPorts, type PortWish } from '../../../../../src/host/qemu/preflight/ports.ts';

const wish = (port: number, more: Partial<PortWish> = {}): PortWish => ({
  proto: 'tcp',
  address: '127.0.0.1',
  port,
  at: '--net user,fwd=1:22',
  ...more,
});

test('a TCP port that somebody listens on is found, and free again afterwards', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  expect(await checkPorts([wish(port)], 1000)).toMatchObject([
    {
      code: 'QL_PORT_IN_USE',
      what: `tcp port ${port} on 127.0.0.1 is in use`,
      why: ['--net user,fwd=1:22 wants it'],
    },
  ]);
  await new Promise((resolve) => server.close(resolve));
  expect(await checkPorts([wish(port)], 1000)).toEqual([]);
  expect(await checkPorts([wish(port)], 1000)).toEqual([]);
});

test('a UDP port is another thing than the TCP port of the same number', async () => {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  expect(await checkPorts([wish(port, { proto: 'udp' })], 1000)).toMatchObject([{ code: 'QL_PORT_IN_USE' }]);
  expect(await checkPorts([wish(port)], 1000)).toEqual([]);
  socket.close();
});

test('the same port twice is found though each alone is free; port 0 is the kernel’s choice', async () => {
  expect(await checkPorts([wish(0), wish(0)], 1000)).toEqual([]);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const found = await checkPorts([wish(port, { at: 'net0' }), wish(port, { at: 'net1' })], 1000);
  expect(found).toContainEqual(
    expect.objectContaining({ code: 'QL_PORT_TWICE', why: ['by net0 and by net1'] }),
  );
});

test('a low port for a user who may not have it', async () => {
  const start = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
  const found = await checkPorts([wish(start - 1)], 1000);
  expect(found).toMatchObject([{ code: 'QL_PORT_PRIVILEGED', what: `port ${start - 1} is for root only` }]);
});

test('an address that is not ours', async () => {
  expect(await checkPorts([wish(40_000, { address: '192.0.2.1' })], 1000)).toMatchObject([
    { code: 'QL_PORT_ADDRESS' },
  ]);
});

test('a socket path is counted in bytes', () => {
  expect(checkSocketPath(`/${'x'.repeat(106)}`, 'the monitor')).toBeUndefined();
  expect(checkSocketPath(`/${'é'.repeat(54)}`, 'the monitor')).toMatchObject({
    code: 'QL_SOCKET_PATH',
    why: [expect.stringContaining('has 109 bytes')],
  });
});

test('files that QEMU reads and writes', () => {
  expect(checkReadable('/etc/hostname', '--kernel')).toBeUndefined();
  expect(checkReadable('/etc', '--kernel')).toMatchObject({ why: ['/etc is not a file'] });
  expect(checkReadable('/nope', '--kernel')).toMatchObject({ why: [expect.stringContaining('ENOENT')] });
  expect(checkWritable('/tmp/qlaunch-not-there', '--serial')).toBeUndefined();
  expect(checkWritable('/nope/log', '--serial')).toMatchObject({ code: 'QL_FILE' });
});
