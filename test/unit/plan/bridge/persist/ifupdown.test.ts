import { expect, test } from 'vitest';
import { ifupdownFiles } from '../../../../../src/plan/bridge/persist/ifupdown.ts';

const MAIN = '/etc/network/interfaces';
const WISH = { name: 'br0', uplink: 'eth0', mac: '52:54:00:aa:bb:01', addresses: [] } as const;

test('what the NIC had is the bridge’s, option by option; comments and other links stay as they are', () => {
  const content = `# mine
auto lo eth0 eth1
iface lo inet loopback
allow-hotplug eth0

iface eth0 inet dhcp
    # keep this
    hostname box
    post-up ip route add 10.0.0.0/8 via 192.0.2.1 dev eth0
iface eth0 inet6 auto
iface eth0.10 inet manual`;
  expect(ifupdownFiles({ ...WISH, stp: true, vlanAware: true }, [{ path: MAIN, content }])).toEqual([
    {
      path: MAIN,
      content: `# mine
#qlaunch# auto lo eth0 eth1
auto lo eth1
iface lo inet loopback
#qlaunch# allow-hotplug eth0

#qlaunch# iface eth0 inet dhcp
    # keep this
#qlaunch#     hostname box
#qlaunch#     post-up ip route add 10.0.0.0/8 via 192.0.2.1 dev eth0
#qlaunch# iface eth0 inet6 auto
iface eth0.10 inet manual

# qlaunch: the bridge br0. \`qlaunch bridge delete br0\` puts back what was here before.
iface eth0 inet manual
auto br0
iface br0 inet dhcp
	hostname box
	post-up ip route add 10.0.0.0/8 via 192.0.2.1 dev br0
	bridge_ports eth0
	bridge_stp on
	bridge_fd 4
	bridge_maxwait 10
	bridge_hw 52:54:00:aa:bb:01
	bridge_vlan_aware yes
iface br0 inet6 auto
# qlaunch: end of br0
`,
    },
  ]);
});

test('a NIC in a sourced file: that file changes, and the main one only where it brings the NIC up', () => {
  const sub = '/etc/network/interfaces.d/lan';
  const changed = ifupdownFiles(WISH, [
    { path: MAIN, content: 'source interfaces.d/*\nauto lo\n' },
    { path: sub, content: 'auto eth0\niface eth0 inet static\n\taddress 192.0.2.5/24\n' },
  ]);
  expect(changed.map(({ path }) => path)).toEqual([sub]);
  expect(changed[0]?.content).toMatch(
    /iface br0 inet static\n\taddress 192\.0\.2\.5\/24\n\tbridge_ports eth0\n/,
  );
});

test('several files: the one with the bridge is first, so that an end halfway leaves an address at boot', () => {
  const sub = '/etc/network/interfaces.d/lan';
  const changed = ifupdownFiles(WISH, [
    { path: MAIN, content: 'source interfaces.d/*\nauto lo eth0\n' },
    { path: sub, content: 'iface eth0 inet static\n\taddress 192.0.2.5/24\n' },
  ]);
  expect(changed.map(({ path }) => path)).toEqual([sub, MAIN]);
  expect(changed[0]?.content).toContain('auto br0\n');
  expect(changed[1]?.content).toContain('#qlaunch# auto lo eth0\nauto lo\n');
});

test('seed: a bridge that is written there by hand is not written again', () => {
  // 000_8e5d…: auto vmbr0, bridge-ports eth0, bridge-stp on, physdev rules.
  const content = `auto eth0
iface eth0 inet manual

auto vmbr0
iface vmbr0 inet dhcp
        bridge-ports eth0
        bridge-stp on
        post-up iptables -I FORWARD -m physdev --physdev-is-bridged -j ACCEPT
        pre-down iptables -D FORWARD -m physdev --physdev-is-bridged -j ACCEPT
`;
  expect(() => ifupdownFiles({ ...WISH, name: 'vmbr0' }, [{ path: MAIN, content }])).toThrow(
    expect.objectContaining({ code: 'QL_PERSIST', why: ['there is an `iface vmbr0` already'] }),
  );
});

test('a mapping that chooses the stanza of the NIC is refused: it would choose another one than we read', () => {
  const content = 'mapping eth0\n\tscript /usr/local/sbin/where\niface home inet dhcp\n';
  expect(() => ifupdownFiles(WISH, [{ path: MAIN, content }])).toThrow(
    expect.objectContaining({ code: 'QL_PERSIST', why: [expect.stringContaining('mapping')] }),
  );
});

test('a line that goes on in the next one is one line', () => {
  const content = 'auto \\\n eth0\niface eth0 inet static\n\taddress \\\n\t192.0.2.5/24\n';
  const [file] = ifupdownFiles(WISH, [{ path: MAIN, content }]);
  expect(file?.content).toContain('#qlaunch# auto \\\n#qlaunch#  eth0\n#qlaunch# iface eth0 inet static\n');
  expect(file?.content).toMatch(/iface br0 inet static\n\taddress\s+192\.0\.2\.5\/24\n/);
});

test('seed: the physdev rules, on request, where the stanza has none', () => {
  const at = (more: string) => [{ path: MAIN, content: `auto eth0\niface eth0 inet dhcp\n${more}` }];
  const rule = 'FORWARD -m physdev --physdev-is-bridged -j ACCEPT';
  const [file] = ifupdownFiles({ ...WISH, physdev: true }, at(''));
  expect(file?.content).toContain(`\tpost-up iptables -I ${rule}\n\tpre-down iptables -D ${rule}\n`);
  const [has] = ifupdownFiles({ ...WISH, physdev: true }, at(`\tpost-up iptables -A ${rule}\n`));
  expect(has?.content.match(/^\tpost-up iptables.*/gm)).toEqual([`\tpost-up iptables -A ${rule}`]);
});
