import { expect, test } from 'vitest';
import type { LinkFact } from '../../../../src/plan/facts.ts';
import type { KnownPort } from '../../../../src/plan/nat/known-port.ts';
import type { LiveVlan } from '../../../../src/plan/nat/live-port.ts';
import { type LostPort, lostHelperPort, lostPorts, portFindings } from '../../../../src/plan/nat/ports.ts';
import { renderPlan } from '../../../../src/plan/render.ts';

const link = (ifname: string, more: Partial<LinkFact>): LinkFact => ({
  ...{ ifindex: 7, ifname, mtu: 1500, flags: ['UP'], link_type: 'ether', addresses: [] },
  ...more,
});
const TAP = link('qt-web0', { kind: 'tun', ifalias: 'qlaunch:vm/web:0123456789ab' });
const PORT: KnownPort = { v: 1, network: 'lab', vm: 'web', tap: 'qt-web0' };

function bridgeOf(vlanFiltering: boolean): LinkFact {
  const bridge = { vlanFiltering, defaultPvid: 1, stp: false, forwardDelayMs: 0 };
  return link('lab0', { kind: 'bridge', mtu: 1400, bridge });
}

/** As --dry-run prints what is done. */
function mended(port: Partial<KnownPort>, tap: Partial<LinkFact> = {}, vlans = true): readonly string[] {
  const bridge = bridgeOf(vlans);
  const facts = { links: [bridge, { ...TAP, ...tap }], token: '0123456789ab' };
  const steps = lostPorts([{ ...PORT, ...port }], bridge, facts).flatMap((lost) => lost.steps);
  return renderPlan({ steps })
    .split('\n')
    .filter((line) => /^ *(link|vlan) /.test(line))
    .map((line) => line.trim());
}

test('a tap gets all that its port had, and nothing passes before it has', () => {
  expect(mended({})).toEqual([
    'link set dev qt-web0 mtu 1400',
    'link set dev qt-web0 master lab0',
    'link set dev qt-web0 up',
  ]);
  const had = { isolated: true, vlan: 7, trunk: [{ from: 20, to: 22 }] };
  const all = [
    'link set dev qt-web0 mtu 1400',
    'link set dev qt-web0 master lab0',
    'link set dev qt-web0 type bridge_slave isolated on',
    'vlan del dev qt-web0 vid 1',
    'vlan add dev qt-web0 vid 20-22',
    'vlan add dev qt-web0 vid 7 pvid untagged',
    'link set dev qt-web0 up',
  ];
  expect(mended(had)).toEqual(['link set dev qt-web0 down', ...all]);
  // Whoever began it was killed halfway.
  expect(mended(had, { master: 'lab0', flags: [] })).toEqual([
    'link set dev qt-web0 down',
    'link set dev qt-web0 nomaster',
    ...all,
  ]);
});

test('a port that is as it was, another VM’s tap, and what only a person can decide', () => {
  expect(mended({}, { master: 'lab0' })).toEqual([]);
  expect(mended({}, { ifalias: 'qlaunch:vm/other:0123456789ab' })).toEqual([]);
  expect(mended({}, { master: 'br5' })).toEqual([]);
  expect(mended({ vlan: 7 }, {}, false)).toEqual([]);
  const said = (port: Partial<KnownPort>, tap: Partial<LinkFact>): unknown => {
    const [ports, bridge] = [[{ ...PORT, ...port }], bridgeOf(false)];
    const facts = { links: [{ ...TAP, ...tap }], token: '0123456789ab' };
    const found = portFindings('lab', ports, lostPorts(ports, bridge, facts), bridge, facts);
    return found.map(({ state, fact }) => [state, fact]);
  };
  expect(said({}, { master: 'lab0' })).toEqual([['ok', 'plugged into lab0: qt-web0']]);
  expect(said({}, {})).toEqual([['problem', 'qt-web0 of VM web is plugged into nothing']]);
  expect(said({}, { master: 'br5' })).toEqual([
    ['problem', 'qt-web0 of VM web is a port of br5, and not of lab0'],
  ]);
  expect(said({ vlan: 7 }, {})).toEqual([
    ['problem', expect.stringContaining('lab0 does not look at VLANs: it stays unplugged')],
  ]);
});

test('no line that is told to be typed plugs a guest in without its VLAN and isolation', () => {
  const bridge = bridgeOf(true);
  const facts = { links: [bridge, { ...TAP, master: 'br5' }], token: '0123456789ab' };
  expect(lostPorts([{ ...PORT, isolated: true, vlan: 7 }], bridge, facts)[0]?.cure).toEqual([
    'sudo ip link set dev qt-web0 nomaster; sudo qlaunch net check lab --fix',
  ]);
  const helper = { network: 'lab', tap: link('tap0', {}), whose: 'VM web', isAllowed: false };
  const cure = (isolated: boolean): string =>
    `${lostHelperPort({ ...helper, isolated }, bridge, facts).cure[0]}`.replace(/ +#.*/, '');
  expect(cure(false)).toBe('sudo ip link set dev tap0 master lab0');
  expect(cure(true).split(' && ')).toEqual([
    'sudo ip link set dev tap0 down',
    'sudo ip link set dev tap0 master lab0',
    'sudo ip link set dev tap0 type bridge_slave isolated on',
    'sudo ip link set dev tap0 up',
  ]);
});

test('a port that is there, and not kept from others any more, is plugged in anew', () => {
  const bridge = bridgeOf(true);
  const facts = { links: [bridge, { ...TAP, master: 'lab0' }], token: '0123456789ab' };
  const had = { ...PORT, isolated: true, vlan: 7, trunk: [{ from: 20, to: 22 }] };
  const own = { from: 7, to: 7, isOwn: true };
  const trunk = { from: 20, to: 30, isOwn: false };
  const lost = (isolated: boolean, ...vlans: readonly LiveVlan[]): readonly LostPort[] =>
    lostPorts([had], bridge, facts, new Map([['qt-web0', { isolated, vlans }]]));
  expect(lost(true, own, trunk)).toEqual([]);
  for (const [found, fact] of [
    [lost(false, own, trunk), 'is not isolated'],
    [lost(true, { ...own, isOwn: false }, trunk), 'is not in VLAN 7'],
    [lost(true, own, { ...trunk, to: 21 }), 'has lost VLAN 22'],
    [lost(true, own, trunk, { from: 1, to: 1, isOwn: false }), 'is in VLAN 1 as well'],
  ] as const) {
    expect(found.map((one) => one.fact)).toEqual([`qt-web0 of VM web ${fact}`]);
    expect(renderPlan({ steps: found[0]?.steps ?? [] })).toMatch(
      /nomaster[\s\S]*isolated on[\s\S]*vid 7 pvid/,
    );
  }
  const blind = lostPorts([had], bridgeOf(false), facts);
  expect(blind[0]?.fact).toContain('lab0 does not look at VLANs: it is with all others');
});
