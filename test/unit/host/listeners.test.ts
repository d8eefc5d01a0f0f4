import { expect, test } from 'vitest';
import { holds, parseListeners } from '../../../src/host/listeners.ts';

/** ss of iproute2 6.1. */
const SS = [
  'LISTEN 0      511        127.0.0.1:8080       0.0.0.0:*    users:(("node",pid=12,fd=20),("node",pid=13,fd=20))',
  'UNCONN 0      0      127.0.0.53%lo:53         0.0.0.0:*    users:(("systemd-resolve",pid=7,fd=13))',
  'LISTEN 0      4096             [::]:22           [::]:*',
  'LISTEN 0      4096                *:443             *:*',
  '',
].join('\n');

test('whose port it is, where ss may tell', () => {
  expect(parseListeners(SS)).toEqual([
    { address: '127.0.0.1', port: 8080, process: { name: 'node', pid: 12 } },
    { address: '127.0.0.53', port: 53, process: { name: 'systemd-resolve', pid: 7 } },
    { address: '::', port: 22 },
    { address: '*', port: 443 },
  ]);
});

test.each([
  ['127.0.0.1', '127.0.0.1', true],
  ['127.0.0.53', '192.168.122.1', false],
  ['0.0.0.0', '127.0.0.1', true],
  ['127.0.0.1', '0.0.0.0', true],
  ['::', '192.168.122.1', true],
])('what listens on %s has the port of %s: %s', (address, wanted, has) => {
  expect(holds({ address, port: 1 }, wanted)).toBe(has);
});
