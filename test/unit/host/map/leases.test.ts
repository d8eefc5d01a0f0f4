import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { dnsmasqLeases, readLeases } from '../../../../src/host/map/leases.ts';

test('dnsmasq: a lease that is over is none, one without end is; DHCPv6 lines have no MAC', () => {
  const text = [
    '1000 52:54:00:00:00:01 192.0.2.1 old *',
    '3000 52:54:00:00:00:0A 192.0.2.2 web 01:52:54:00:00:00:0a',
    '0 52:54:00:00:00:03 192.0.2.3 * *',
    'duid 00:01:00:01:2c:2d:8f:5b:52:54:00:aa:bb:01',
    '3000 12345 2001:db8::5 web 00:01:00:01',
    '',
  ].join('\n');
  expect(dnsmasqLeases(text, 2_000_000)).toEqual([
    { mac: '52:54:00:00:00:0a', address: '192.0.2.2', source: 'lease' },
    { mac: '52:54:00:00:00:03', address: '192.0.2.3', source: 'lease' },
  ]);
});

test('libvirt keeps JSON per network; what is damaged or not there is no lease', () => {
  const dir = mkdtempSync(join(tmpdir(), 'qlaunch-leases-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const lease = { 'ip-address': '192.168.122.9', 'mac-address': '52:54:00:00:00:09', 'expiry-time': 1 };
  writeFileSync(join(dir, 'virbr0.status'), JSON.stringify([lease, 'x', {}]));
  writeFileSync(join(dir, 'virbr1.status'), '[{"ip-add');
  expect(readLeases([], [join(dir, 'none')], dir)).toEqual([
    { mac: '52:54:00:00:00:09', address: '192.168.122.9', source: 'lease' },
  ]);
  expect(readLeases([], [], join(dir, 'none'))).toEqual([]);
});
