import { describe, expect, test } from 'vitest';
import type { LinkFact } from '../../../../src/plan/facts.ts';
import { chooseBridge } from '../../../../src/plan/hook/choose.ts';
import { planPlug } from '../../../../src/plan/hook/plug.ts';
import { routeBridge } from '../../../../src/plan/hook/route.ts';
import { renderPlan } from '../../../../src/plan/render.ts';
import { parseHookRules } from '../../../../src/spec/hook/rules.ts';

const link = (ifname: string, more: Partial<LinkFact> = {}): LinkFact => ({
  ifindex: 7,
  ifname,
  address: '02:11:22:33:44:55',
  mtu: 1500,
  flags: ['BROADCAST', 'MULTICAST'],
  link_type: 'ether',
  kind: 'tun',
  addresses: [],
  ...more,
});
const br0 = link('br0', { kind: 'bridge', mtu: 9000 });
const tap1 = link('tap1');

describe('the plan', () => {
  test('is what a person would type', () => {
    expect(renderPlan(planPlug({ tap: tap1, goesAway: true, bridge: br0 }, {}))).toBe(`# plug tap1 into br0
ip -batch - <<'END'
link set dev tap1 address fe:11:22:33:44:55
link set dev tap1 mtu 9000
link set dev tap1 master br0
link set dev tap1 up
END
`);
  });

  test('of a tap that goes away with QEMU, only the port is taken back; of one that stays, all', () => {
    const undos = (goesAway: boolean): number =>
      planPlug({ tap: tap1, goesAway, bridge: br0 }, {}).steps.flatMap((step) =>
        'batch' in step.do ? step.do.lines.filter(({ undo }) => 'run' in undo) : [],
      ).length;
    expect(undos(true)).toBe(1);
    expect(undos(false)).toBe(4);
  });

  test('is empty when all is done', () => {
    const done = link('tap1', { master: 'br0', mtu: 9000, flags: ['UP'] });
    expect(planPlug({ tap: done, goesAway: true, bridge: br0 }, {}).steps).toEqual([]);
  });

  test.each([
    [link('tap1', { master: 'br1' }), 'tap1 is a port of br1 already'],
    [link('tun0', { link_type: 'none' }), 'tun0 is not a tap but a tun (layer 3)'],
    [link('eth0', { kind: 'dummy' }), 'eth0 is not a tap but a dummy'],
  ])('refuses what it must not touch', (tap, why) => {
    expect(() => planPlug({ tap, goesAway: true, bridge: br0 }, {})).toThrow(
      expect.objectContaining({ why: [why], exit: 3 }) as Error,
    );
  });
});

describe('which bridge', () => {
  const rulesPath = '/etc/qlaunch/ifup.ini';
  const left = { v: 1, ifname: 'tap1', netns: 'net:[1]', bridge: 'br-left', mtu: 1400 } as const;
  const [rule] = parseHookRules('[tap*]\nbridge = br-rule\n', 'ifup.ini').rules;
  if (rule === undefined) throw new Error('no rule');

  test('the environment beats what qlaunch left, that beats ifup.ini', () => {
    expect(chooseBridge({ asked: 'br-asked', left, rule, rulesPath })).toEqual({ bridge: 'br-asked' });
    expect(chooseBridge({ asked: '', left, rule, rulesPath })).toMatchObject({
      bridge: 'br-left',
      mtu: 1400,
    });
    expect(chooseBridge({ rule, rulesPath })).toMatchObject({ bridge: 'br-rule' });
    expect(chooseBridge({ rulesPath })).toBeUndefined();
  });

  test('then the first default route over a bridge decides', () => {
    expect(routeBridge('tap1', ['eth0', 'br0'], [br0], { rulesPath })).toBe(br0);
  });

  test('what it says to type is quoted', () => {
    const odd = { ...br0, ifname: 'b;r' };
    expect(() => routeBridge('t;x', [], [odd], { rulesPath: '/my rules' })).toThrow(
      expect.objectContaining({
        todo: [
          "QLAUNCH_BRIDGE='b;r' in front of the QEMU command",
          "sudo install -d / && printf '[%s]\\nbridge = %s\\n' 't;x' 'b;r' | sudo tee -a '/my rules'",
        ],
      }) as Error,
    );
  });

  test('and when there is none, it says what was looked at', () => {
    expect(() => routeBridge('tap1', ['eth0'], [], { rulesPath })).toThrow(
      expect.objectContaining({
        message: 'no bridge to plug tap1 into',
        why: [
          'QLAUNCH_BRIDGE is not set',
          'no section of /etc/qlaunch/ifup.ini fits tap1',
          'the default route goes through eth0, which is no bridge',
          'this host has no bridge',
        ],
      }) as Error,
    );
  });
});
