// What a test may need from the kernel, each proven by really doing it in a throw-away namespace. A test file says
// so in a comment line: "// needs: bridge, vlan_filtering, 8021q".
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const sandbox = new URL('sandbox', import.meta.url).pathname;
const veth = 'ip link add v0 type veth peer name v1';

/** Feature name → shell line that succeeds exactly where the feature works. Names start with the kernel's word for it. */
const probes = {
  bridge: 'ip link add b0 type bridge',
  vlan_filtering: 'ip link add b0 type bridge vlan_filtering 1',
  isolated: `ip link add b0 type bridge && ${veth} && ip link set v0 master b0 && bridge link set dev v0 isolated on && bridge -d link show dev v0 | grep -q 'isolated on'`,
  br_netfilter: 'test -d /proc/sys/net/bridge',
  veth,
  // The driver may be a module that nobody has loaded yet; then there is not even a device node.
  tap: '{ test -c /dev/net/tun || modprobe tun; } && ip tuntap add t0 mode tap',
  dummy: 'ip link add d0 type dummy',
  bond: 'ip link add bo0 type bond',
  '8021q': `${veth} && ip link add link v0 name v0.5 type vlan id 5`,
  macvlan: `${veth} && ip link add link v0 name m0 type macvlan mode bridge`,
  macvtap: `${veth} && ip link add link v0 name m0 type macvtap mode bridge`,
  ipvlan: `${veth} && ip link add link v0 name i0 type ipvlan`,
  vxlan: 'ip link add x0 type vxlan id 7 dstport 4789 local 127.0.0.1',
  vrf: 'ip link add r0 type vrf table 77',
  ifb: 'ip link add f0 type ifb',
  netem: `${veth} && tc qdisc add dev v0 root netem delay 10ms`,
  htb: `${veth} && tc qdisc add dev v0 root handle 1: htb`,
  tbf: `${veth} && tc qdisc add dev v0 root tbf rate 1mbit burst 32k latency 50ms`,
  ingress: `${veth} && tc qdisc add dev v0 ingress`,
  clsact: `${veth} && tc qdisc add dev v0 clsact`,
  u32: `${veth} && tc qdisc add dev v0 ingress && tc filter add dev v0 parent ffff: protocol all u32 match u32 0 0 flowid :1`,
  matchall: `${veth} && tc qdisc add dev v0 clsact && tc filter add dev v0 ingress matchall flowid :1`,
  act_gact: `${veth} && tc qdisc add dev v0 ingress && tc filter add dev v0 parent ffff: protocol all u32 match u32 0 0 action ok`,
  act_mirred: `${veth} && tc qdisc add dev v0 ingress && tc filter add dev v0 parent ffff: protocol all u32 match u32 0 0 action mirred egress redirect dev v1`,
  act_police: `${veth} && tc qdisc add dev v0 ingress && tc filter add dev v0 parent ffff: protocol all u32 match u32 0 0 police rate 1mbit burst 10k drop`,
  act_csum: `${veth} && tc qdisc add dev v0 ingress && tc filter add dev v0 parent ffff: protocol ip u32 match u32 0 0 action csum udp`,
  vhost_net: 'test -c /dev/vhost-net || { modprobe vhost_net && test -c /dev/vhost-net; }',
  nft_inet: 'nft add table inet t',
  nft_bridge: 'nft add table bridge t',
  nft_netdev: `${veth} && nft add table netdev t && nft 'add chain netdev t c { type filter hook ingress device v0 priority 0; }'`,
  nft_nat:
    "nft add table ip t && nft 'add chain ip t c { type nat hook postrouting priority 100; }' && nft add rule ip t c masquerade",
  modules: 'test -e /proc/modules && modprobe -n dummy',
  iommu: 'test -n "$(ls /sys/kernel/iommu_groups 2>/dev/null)"',
  vfio: 'test -c /dev/vfio/vfio || modprobe vfio-pci',
};

/** The names a test file may use. */
export const KNOWN = Object.keys(probes).join(' ');

/** The features that the file's "// needs:" lines name. */
export function neededBy(file) {
  const lines = readFileSync(file, 'utf8').matchAll(/^\/\/ needs:(.*)$/gm);
  return [...lines].flatMap((line) => line[1].split(',').map((word) => word.trim()));
}

/** Those of them that nobody knows how to try. */
export function unknownNeeds(file) {
  return neededBy(file).filter((name) => !(name in probes));
}

/** Which of the features this kernel has; each is tried in a namespace of its own inside one sandbox. */
export function supported(names) {
  const lines = names.map(
    (name) => `if unshare -n sh -c ${quote(probes[name])} >/dev/null 2>&1; then echo ${name}; fi`,
  );
  if (lines.length === 0) return new Set();
  const { stdout, stderr, status } = spawnSync(sandbox, ['sh', '-c', `${lines.join('\n')}\ntrue`], {
    encoding: 'utf8',
  });
  if (status !== 0) {
    console.error(
      `no sandbox for the tests can be made here; run scripts/test as root. What was said: ${stderr}`,
    );
    process.exit(1);
  }
  return new Set(stdout.split('\n').filter(Boolean));
}

const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
