import { expect, test } from 'vitest';
import { ifcfgFiles } from '../../../../../src/plan/bridge/persist/ifcfg.ts';
import { ifupdownFiles } from '../../../../../src/plan/bridge/persist/ifupdown.ts';
import { keyfileFiles } from '../../../../../src/plan/bridge/persist/keyfile.ts';
import { modelOf } from '../../../../../src/plan/bridge/persist/model.ts';
import { netplanFiles } from '../../../../../src/plan/bridge/persist/netplan.ts';
import { networkdFiles } from '../../../../../src/plan/bridge/persist/networkd.ts';
import { ipScript } from '../../../../../src/plan/bridge/persist/none.ts';

const address = (local: string, more: object = {}) =>
  ({ family: 'inet', local, prefixlen: 24, scope: 'global', flags: [], ...more }) as const;
const route = (row: object) =>
  ({ family: 'inet', row: { type: 'unicast', dev: 'eth0', table: 'main', flags: [], ...row } }) as const;
const on = (more: Partial<Parameters<typeof modelOf>[0]>) => ({
  ...{ link: 'eth0', addresses: [address('192.0.2.5')], routes: [], neighbours: [], rules: [] },
  ...more,
});
const KERNEL = route({ dst: '192.0.2.0/24', protocol: 'kernel', prefsrc: '192.0.2.5' });
const PLAIN = route({ dst: 'default', gateway: '192.0.2.1', protocol: 'static', flags: ['linkdown'] });
const RULE = {
  family: 'inet',
  row: { priority: 100, src: 'all', iif: 'eth0', table: '7' },
} as const;

test('addresses and routes through a gateway are said; what comes by itself is neither said nor missed', () => {
  const lease = route({ dst: 'default', gateway: '192.0.2.1', protocol: 'dhcp', prefsrc: '192.0.2.9' });
  expect(modelOf(on({ routes: [KERNEL, PLAIN, lease] }))).toEqual({
    addresses: ['192.0.2.5/24'],
    routes: [{ via: '192.0.2.1' }],
    dhcp4: false,
    ra: false,
    unsaid: [],
  });
});

test.each([
  [
    { routes: [route({ dst: 'default', gateway: '10.0.0.1', flags: ['onlink'] })] },
    'the route default via 10.0.0.1 onlink',
  ],
  [{ routes: [route({ dst: '10.7.0.0/16', protocol: 'static' })] }, 'the route 10.7.0.0/16'],
  [
    {
      routes: [
        route({
          dev: undefined,
          dst: 'default',
          nexthops: [
            { dev: 'eth0', gateway: '192.0.2.1' },
            { dev: 'eth0', gateway: '192.0.2.2' },
          ],
        }),
      ],
    },
    'the route default by several ways',
  ],
  [
    { routes: [route({ dst: 'default', gateway: '192.0.2.1', table: '7' })] },
    'the route default via 192.0.2.1 of the table 7',
  ],
  [
    { addresses: [address('192.0.2.5', { peer: '192.0.2.9' })] },
    'the address 192.0.2.5 with the peer 192.0.2.9',
  ],
  [{ rules: [RULE] }, 'the policy rule 100'],
])('what no file says is named: %j', (more, unsaid) => {
  const model = modelOf(on(more));
  expect(model.unsaid).toEqual([unsaid]);
  expect(model.routes).toEqual([]);
});

test.each([
  ['netplan', (wish: Wish) => netplanFiles(wish, { files: [] })],
  ['networkd', (wish: Wish) => networkdFiles(wish, { files: [] })],
  ['keyfile', (wish: Wish) => keyfileFiles(wish, { files: [] })],
  ['ifcfg', (wish: Wish) => ifcfgFiles(wish, [])],
  [
    'ifupdown',
    ({ uplink: _, ...wish }: Wish) => ifupdownFiles(wish, [{ path: '/etc/network/interfaces', content: '' }]),
  ],
])('%s refuses it, names it, and says where all of it is printed', (_name, files) => {
  const wish = { name: 'br0', uplink: 'eth0', ...modelOf(on({ rules: [RULE] })) };
  expect(() => files(wish)).toThrow(
    expect.objectContaining({
      code: 'QL_PERSIST',
      why: [expect.stringContaining('gone after a reboot'), 'the policy rule 100'],
      todo: [expect.stringContaining('bridge persist br0 --persist=none')],
    }),
  );
});

test('the script has the rules of the bridge as well', () => {
  const rule = { ...RULE, row: { ...RULE.row, iif: 'br0' } };
  const now = { ...on({ rules: [rule] }), link: 'br0' };
  expect(ipScript({ name: 'br0', ...modelOf(now) }, now)).toContain(
    'ip -4 rule add from all iif br0 priority 100 table 7',
  );
});

type Wish = Parameters<typeof netplanFiles>[0];
