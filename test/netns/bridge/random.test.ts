// needs: bridge, veth
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { createUplink } from '../../../src/run/bridge/uplink.ts';
import { openEngine } from '../../../src/run/open-engine.ts';
import { undoChange } from '../../../src/run/recover.ts';
import { differences, type Snapshot, snapshot } from '../../snapshot.ts';
import { filesLeft, makeTree } from '../tree.ts';
import { cable, ip, NIC, quiet } from './outside.ts';

const look = (): Snapshot => snapshot({ files: [] });

const v4 = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 10, max: 250 }))
  .map(([net, host]) => `10.${net}.0.${host}`);
const v6 = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 16, max: 0xffff }))
  .map(([net, host]) => `fd0${net}::${host.toString(16)}`);
const pick = <T>(...all: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...all);

const address = fc.oneof(
  fc
    .tuple(
      v4,
      pick('24', '16', '32'),
      pick('', ' brd +', ` label ${NIC}:a`, ' metric 77', ' noprefixroute', ' scope link'),
      pick('', ' valid_lft 5000 preferred_lft 4000'),
    )
    .map(([ip4, prefix, more, life]) => `address add ${ip4}/${prefix}${more}${life} dev ${NIC}`),
  fc
    .tuple(
      v6,
      pick('64', '128'),
      pick('', ' nodad', ' noprefixroute', ' metric 77', ' home'),
      pick('', ' valid_lft 5000 preferred_lft 4000', ' preferred_lft 0'),
    )
    .map(([ip6, prefix, more, life]) => `address add ${ip6}/${prefix}${more}${life} dev ${NIC}`),
  v4.map((ip4) => `address add ${ip4} peer 10.99.0.1/32 dev ${NIC}`),
);
const table = pick('main', '100', '7');
const metric = fc.integer({ min: 1, max: 5000 }).map(String);
const route = fc.oneof(
  fc
    .tuple(
      fc.integer({ min: 0, max: 9 }),
      v4,
      table,
      metric,
      pick('', ' mtu 1300', ' initcwnd 20 advmss 900', ' proto static', ' proto dhcp', ' tos 0x10'),
    )
    .map(
      ([net, via, to, by, more]) =>
        `route add 198.51.${net}.0/24 via ${via} dev ${NIC} onlink table ${to} metric ${by}${more}`,
    ),
  fc
    .tuple(
      fc.integer({ min: 0, max: 9 }),
      v6,
      table,
      metric,
      pick('', ' mtu 1300', ' pref high', ' proto ra', ' expires 3000'),
    )
    .map(
      ([net, via, to, by, more]) =>
        `-6 route add 2001:db8:${net}::/48 via ${via} dev ${NIC} onlink table ${to} metric ${by}${more}`,
    ),
  fc
    .tuple(v4, v4)
    .map(
      ([a, b]) =>
        `route add 203.0.113.0/24 nexthop via ${a} dev ${NIC} weight 3 onlink nexthop via ${b} dev ${NIC} onlink`,
    ),
  fc
    .tuple(v6, metric)
    .map(([via, by]) => `route add 192.0.2.0/24 via inet6 ${via} dev ${NIC} onlink metric ${by}`),
  metric.map((by) => `route add 192.0.2.128/25 dev ${NIC} scope link metric ${by}`),
  fc.tuple(v4, metric).map(([via, by]) => `route add default via ${via} dev ${NIC} onlink metric ${by}`),
);
const rule = fc
  .tuple(
    pick('-4', '-6'),
    pick(`iif ${NIC}`, `oif ${NIC}`),
    pick('', ' fwmark 0x7/0xff', ' ipproto tcp dport 22', ' tos 0x10'),
    fc.integer({ min: 1, max: 30_000 }),
    table,
  )
  .map(
    ([family, link, more, priority, to]) =>
      `${family} rule add ${link}${more} priority ${priority} table ${to}`,
  );
const neighbour = v4.map((ip4) => `neigh add ${ip4} lladdr 02:00:00:00:00:01 dev ${NIC} nud permanent`);
const setting = fc
  .tuple(
    pick(
      'ipv4.conf.up0.rp_filter',
      'ipv4.conf.up0.arp_ignore',
      'ipv6.conf.up0.accept_ra',
      'ipv6.conf.up0.use_tempaddr',
      'ipv4.conf.up0.promote_secondaries',
    ),
    pick('0', '1', '2'),
  )
  .map(([name, value]) => `sysctl net.${name}=${value}`);

const world = fc.tuple(
  fc.array(setting, { maxLength: 2 }),
  fc.array(address, { minLength: 1, maxLength: 6 }),
  fc.array(route, { maxLength: 6 }),
  fc.array(fc.oneof(rule, neighbour), { maxLength: 3 }),
);

/** What the kernel refuses (the same twice, a route to nowhere) is no part of this world. */
function build(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => {
    const words = line.split(' ');
    const [program, args] = words[0] === 'sysctl' ? ['sysctl', ['-qw', ...words.slice(1)]] : ['ip', words];
    return spawnSync(program, args).status === 0;
  });
}

function clear(lines: readonly string[]): void {
  for (const line of lines.filter((one) => one.includes('rule add')))
    spawnSync('ip', line.replace(' add ', ' del ').split(' '));
  for (const name of ['br0', NIC]) spawnSync('ip', ['link', 'delete', name]);
  spawnSync('ip', ['netns', 'delete', 'outside']);
}

/** Worlds that were not put back as they were once. */
const seen: (readonly string[])[][] = [
  // An address that was said again took the prefix route of its neighbour along.
  [[], [`address add fd02::5/64 dev ${NIC}`, `address add fd02::6/64 metric 77 dev ${NIC}`], [], []],
];

test('whatever is on a NIC: made and taken back, the host is as before', async () => {
  const tree = makeTree();
  onTestFinished(() => tree.remove());
  const engine = openEngine({ tool: 'qlaunch test', env: tree.env });
  await fc.assert(
    fc.asyncProperty(world, async (parts) => {
      cable();
      const lines = build(parts.flat());
      try {
        await quiet();
        const before = look();
        const { id } = await createUplink(engine, { name: 'br0', uplink: NIC, force: false });
        expect(ip(`-o address show dev ${NIC}`)).toBe('');
        expect(ip('route show table all') + ip('-6 route show table all')).not.toContain(` ${NIC} `);
        const { left, said } = await undoChange(engine, id);
        expect({ left, said, differs: differences(before, look()) }).toEqual({
          left: [],
          said: [],
          differs: [],
        });
        expect(filesLeft(tree)).toEqual([]);
      } finally {
        clear(lines);
      }
    }),
    // The same worlds every time, for a run of minutes is no place to meet a new one: QLAUNCH_TEST_SEED=… shows others.
    {
      numRuns: 10,
      seed: Number(process.env['QLAUNCH_TEST_SEED'] ?? 20_261_121),
      endOnFailure: true,
      examples: seen.map((parts): [string[][]] => [parts.map((lines) => [...lines])]),
    },
  );
}, 300_000);
