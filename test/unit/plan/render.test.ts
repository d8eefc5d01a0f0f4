import { expect, test } from 'vitest';
import { planBridge } from '../../../src/plan/bridge.ts';
import type { HostFacts } from '../../../src/plan/facts.ts';
import { makeDirectory, putFile } from '../../../src/plan/files.ts';
import { planJson, renderPlan } from '../../../src/plan/render.ts';
import type { Plan } from '../../../src/plan/step.ts';
import { IPV4_FORWARD, shareAttribute } from '../../../src/plan/sysctl.ts';

const FACTS: HostFacts = { links: [], token: '1a2b3c4d5e6f' };

const plan: Plan<HostFacts> = {
  steps: [
    ...planBridge({ name: 'br0', lifetime: { net: 'default' } }, FACTS).steps,
    shareAttribute(IPV4_FORWARD, '1', 'let the host route IPv4'),
    makeDirectory('/etc/qlaunch'),
  ],
  next: {
    waitsFor: 'the kernel numbers the bridge',
    preview: [putFile({ path: '/etc/qlaunch/br0.conf', content: 'ifindex=<br0>\n', mode: 0o600 })],
    plan: () => ({ steps: [] }),
  },
};

test('a plan as text for a root shell', () => {
  expect(renderPlan(plan)).toMatchInlineSnapshot(`
    "# make the bridge br0
    ip -batch - <<'END'
    link add name ql1a2b3c4d5e6f0 address 02:71:6c:1a:2b:3c type bridge stp_state 0 forward_delay 0
    link set dev ql1a2b3c4d5e6f0 alias qlaunch:net/default:1a2b3c4d5e6f
    link set dev ql1a2b3c4d5e6f0 name br0
    link set dev br0 up
    END
    # let the host route IPv4
    printf %s 1 > /proc/sys/net/ipv4/ip_forward
    # make the directory /etc/qlaunch
    [ -d /etc/qlaunch ] || { mkdir -m 0755 /etc/qlaunch; }
    # --- then, because the kernel numbers the bridge:
    # # write /etc/qlaunch/br0.conf
    # (umask 077 && cat > /etc/qlaunch/.br0.conf.new) <<'END'
    # ifindex=<br0>
    # END
    # chmod 0600 /etc/qlaunch/.br0.conf.new && mv -f /etc/qlaunch/.br0.conf.new /etc/qlaunch/br0.conf
    "
  `);
});

test('the same as JSON', () => {
  const json = planJson(plan);
  expect(json.steps.map(({ title, undo }) => ({ title, undo }))).toMatchInlineSnapshot(`
    [
      {
        "title": "make the bridge br0",
        "undo": "ip link delete dev ql1a2b3c4d5e6f0; nothing: the mark goes away with the link; ip link delete dev br0; nothing: goes away with br0",
      },
      {
        "title": "let the host route IPv4",
        "undo": "put back what was there before",
      },
      {
        "title": "make the directory /etc/qlaunch",
        "undo": "put back what was there before",
      },
    ]
  `);
  expect(json.later?.steps).toHaveLength(1);
  expect(JSON.parse(JSON.stringify(json))).toEqual(json);
});

test('a name that is taken is refused with whose it is', () => {
  const taken: HostFacts = {
    ...FACTS,
    links: [
      { ifindex: 7, ifname: 'br0', kind: 'bridge', mtu: 1500, flags: [], link_type: 'ether', addresses: [] },
    ],
  };
  expect(() => planBridge({ name: 'br0', lifetime: { permanent: true } }, taken)).toThrow(
    'there is already an interface br0',
  );
});
