import { expect, test } from 'vitest';
import { withRadio } from '../../../../src/host/bridge/wireless.ts';
import type { Machine } from '../../../../src/host/port.ts';
import { planAddPort } from '../../../../src/plan/bridge/port.ts';
import type { HostFacts, LinkFact } from '../../../../src/plan/facts.ts';

const link = (ifname: string, ifindex: number, kind?: string): LinkFact => ({
  ...{
    ifindex,
    ifname,
    mtu: 1500,
    flags: ['UP'],
    link_type: 'ether',
    addresses: [],
    address: '02:00:00:00:00:01',
  },
  ...(kind === undefined ? {} : { kind }),
});
const FACTS: HostFacts = { links: [link('br0', 2, 'bridge'), link('wlp2s0', 3)], token: '0123456789ab' };

/** As /sys shows a laptop's radio (linux/net/wireless/core.c: DEVTYPE=wlan). */
function sys(ifindex: string): Machine {
  const files: Readonly<Record<string, string>> = {
    '/sys/class/net/wlp2s0/ifindex': ifindex,
    '/sys/class/net/wlp2s0/uevent': 'DEVTYPE=wlan\nINTERFACE=wlp2s0\nIFINDEX=3',
  };
  return {
    read: async (path: string) => files[path],
    stat: async () => undefined,
  } as unknown as Machine;
}

test('a radio is refused as a port, with what works instead', async () => {
  const facts = await withRadio(sys('3'), FACTS, 'wlp2s0');
  expect(() => planAddPort('br0', 'wlp2s0', facts)).toThrow(
    expect.objectContaining({
      code: 'QL_NOT_A_PORT',
      why: [expect.stringContaining('Wi-Fi')],
      todo: [expect.stringContaining('--net nat')],
    }),
  );
});

test('a /sys of another network namespace says nothing about ours', async () => {
  const facts = await withRadio(sys('7'), FACTS, 'wlp2s0');
  expect(planAddPort('br0', 'wlp2s0', facts).steps).toHaveLength(1);
});
