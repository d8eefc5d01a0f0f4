import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { foreignText } from '../../../../src/plan/bridge/handover/foreign.ts';
import { networkdHandover } from '../../../../src/plan/bridge/handover/networkd.ts';
import { leasedAsIn, missingText, OWN } from '../../../../src/plan/bridge/handover/steps.ts';
import type { Layer3 } from '../../../../src/plan/bridge/layer3.ts';
import type { Rule } from '../../../../src/plan/bridge/rule.ts';
import { moveTitle, planUplink } from '../../../../src/plan/bridge/uplink.ts';

const layer: Layer3 = {
  link: 'eth0',
  addresses: [
    { family: 'inet', local: '10.9.0.50', prefixlen: 24, scope: 'global', flags: [], label: 'eth0:1' },
    {
      ...{ family: 'inet', local: '10.9.0.60', prefixlen: 24, scope: 'global', flags: [], metric: 1024 },
      ...{ label: 'eth0:2', validS: 290, preferredS: 280 },
    },
    { family: 'inet6', local: 'fe80::1', prefixlen: 64, scope: 'link', flags: [] },
    {
      ...{ family: 'inet6', local: 'fd00::1', prefixlen: 64, scope: 'global', flags: [] },
      ...{ validS: 99, preferredS: 98 },
    },
  ],
  routes: [{ family: 'inet', row: { dst: 'default', gateway: '10.9.0.1', dev: 'eth0', metric: 7 } }],
  neighbours: [],
};

test('what is missing is added, never replaced; the shell reads which addresses are meant, and which are leased', () => {
  const lines = missingText(layer, 'eth0');
  expect(lines).toContain('route add default via 10.9.0.1 dev eth0 metric 7\n');
  // What is asked for again has no lifetime: that would be one of a while ago.
  expect(lines.match(/^.* replace .*$/gm)).toEqual(['address replace fe80::1/64 dev eth0']);
  const ask = (which: string): string =>
    execFileSync('sh', ['-c', `${OWN}\nbatch=$1\n${which}`, 'sh', lines], { encoding: 'utf8' });
  expect(ask('own')).toBe('10.9.0.50 10.9.0.60 fd00::1 ');
  expect(ask('leased')).toBe('10.9.0.60 ');
});

test('a lease that networkd keeps for ever on the bridge is a lease again on the NIC', () => {
  const now: Layer3 = {
    ...layer,
    link: 'br0',
    addresses: layer.addresses.map(({ validS: _, preferredS: __, ...one }) => one),
  };
  const back = leasedAsIn(missingText(layer, 'eth0'), now);
  expect(back.addresses.map(({ validS }) => validS)).toEqual([undefined, 290, undefined, 99]);
  // Also where the server has given another one since: the NIC is not to have that for ever.
  const other = now.addresses.map((one) =>
    one.local === '10.9.0.60' ? { ...one, local: '10.9.0.61' } : one,
  );
  const since = leasedAsIn(missingText(layer, 'eth0'), { ...now, addresses: other }, '10.9.0.61');
  expect(since.addresses.map(({ validS }) => validS)).toEqual([undefined, 290, undefined, 99]);
});

test('rules and routes of no link are given back, for the link that has them now; one that is not understood is none', () => {
  const rule = (family: 'inet' | 'inet6', row: Rule['row']): Rule => ({
    family,
    row: { src: 'all', ...row },
  });
  const routes = [
    ...layer.routes,
    { family: 'inet', row: { type: 'blackhole', dst: '10.66.0.0/16', protocol: 'boot' } },
    { family: 'inet6', row: { type: 'unreachable', dst: 'default', dev: 'lo', protocol: 'kernel' } },
    { family: 'inet6', row: { type: 'unreachable', dst: 'fd66::/48', dev: 'lo', metric: 7 } },
  ] as const;
  const rules = [
    rule('inet', { priority: 7, iif: 'eth0', table: '9' }),
    rule('inet', { priority: 8, l3mdev: null }),
    rule('inet6', { priority: 9, not: null, fwmark: '0xca6c', table: '51820' }),
  ];
  expect(foreignText({ rules, routes }, 'eth0', 'br0')).toBe(`rule add from all iif br0 priority 7 table 9
rule add from all priority 8 l3mdev
-6 rule add not from all fwmark 0xca6c priority 9 table 51820
route add blackhole 10.66.0.0/16 proto boot
-6 route add unreachable fd66::/48 dev lo metric 7
`);
  const strange = { rules: [rule('inet', { priority: 7, tun_id: 7, table: '9' })], routes };
  expect(() => foreignText(strange, 'eth0', 'br0')).toThrow(/policy rule/);
});

test('a line that fails on the way back does not keep the others, where a network manager has its hands on the NIC as well', () => {
  const nic = { ifindex: 7, ifname: 'eth0', mtu: 1500, flags: ['UP'], link_type: 'ether', addresses: [] };
  const wish = { name: 'br0', uplink: 'eth0', lifetime: { untilUndone: 'x' } };
  const facts = { links: [nic], token: '0123456789ab' };
  const uplink = { ...layer, rules: [], settings: [], clients: [], xdp: false, resolved: [] };
  const first = [{ title: 'look', do: { run: ['true'] }, undo: { nothing: '' }, deadlineMs: 1_000 }] as const;
  const statusOf = (handover?: Parameters<typeof planUplink>[3]): number | null => {
    const lines = planUplink(wish, facts, uplink, handover).steps.flatMap(({ do: action }) =>
      'batch' in action ? action.lines : [],
    );
    const undo = lines.find(({ title }) => title === moveTitle('br0', 'eth0'))?.undo;
    if (undo === undefined || !('run' in undo)) return null;
    return spawnSync(undo.run[0], undo.run.slice(1), { input: 'link show dev no-such-link\n' }).status;
  };
  expect(statusOf()).not.toBe(0);
  expect(statusOf({ withinS: 0, first, last: [] })).toBe(0);
});

test('the way back waits for no systemd-networkd that does not run, once all is there', () => {
  const bin = mkdtempSync(join(tmpdir(), 'programs-'));
  onTestFinished(() => rmSync(bin, { recursive: true, force: true }));
  const program = (name: string, text: string): void =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  program('ip', 'case $* in *"address show"*) echo there ;; esac');
  program('sleep', `echo round >> ${bin}/rounds`);
  program('networkctl', 'echo "WARNING: systemd-networkd is not running, output will be incomplete." >&2');
  const hold = { bridge: 'br0', index: 7, files: [], makesDir: false, foreign: { rules: [], routes: [] } };
  const undo = networkdHandover(hold, layer, { link: 'eth0' }).first[0]?.undo;
  if (undo === undefined || !('run' in undo)) throw new Error('nothing to run');
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}` };
  const [sh, ...words] = undo.run;
  expect(spawnSync(sh, words, { input: undo.stdin ?? '', env }).status).toBe(0);
  expect(readFileSync(`${bin}/rounds`, 'utf8').trim().split('\n').length).toBeLessThan(20);
});
