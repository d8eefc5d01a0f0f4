import { expect, test } from 'vitest';
import { livePorts } from '../../../../src/host/nat/ports.ts';
import type { Host } from '../../../../src/host/port.ts';

/** As iproute2 6.1 prints them. */
const LINKS = [
  {
    ifname: 'qt-web0',
    linkinfo: { info_slave_kind: 'bridge', info_slave_data: { state: 'forwarding', isolated: true } },
  },
  { ifname: 'up0', linkinfo: { info_slave_kind: 'bridge', info_slave_data: { isolated: false } } },
];
const VLANS = [
  { ifname: 'lab0', vlans: [{ vlan: 1, flags: ['PVID', 'Egress Untagged'] }] },
  {
    ifname: 'qt-web0',
    vlans: [{ vlan: 7, flags: ['PVID', 'Egress Untagged'] }, { vlan: 20, vlanEnd: 22 }, { vlan: 30 }],
  },
];

test('ports with what keeps them apart; VLANs are asked for only where some have any', async () => {
  const asked: string[] = [];
  const run: Host['run'] = async ([program]) => {
    asked.push(program);
    const stdout = JSON.stringify(program === 'bridge' ? VLANS : LINKS);
    return { status: 0, signal: null, stdout, stderr: '', timedOut: false };
  };
  const host = { run } as Host;
  const ports = await livePorts(host, 'lab0', true);
  expect([...ports.keys()]).toEqual(['qt-web0', 'up0']);
  expect(ports.get('qt-web0')).toEqual({
    isolated: true,
    vlans: [
      { from: 7, to: 7, isOwn: true },
      { from: 20, to: 22, isOwn: false },
      { from: 30, to: 30, isOwn: false },
    ],
  });
  expect(ports.get('up0')).toEqual({ isolated: false, vlans: [] });
  asked.length = 0;
  expect((await livePorts(host, 'lab0', false)).get('qt-web0')).toEqual({ isolated: true, vlans: [] });
  expect(asked).toEqual(['ip']);
});
