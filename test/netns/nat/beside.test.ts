// needs: bridge, nft_inet, nft_nat, veth, tap
/** libvirt's default is active on the same host: neither breaks the other. */
import { expect, test } from 'vitest';
import { type Agent, type OtherHost, WEB } from './parity/host.ts';
import { NETWORKS } from './parity/networks.ts';
import { libvirtSide, qlaunch, virsh } from './parity/sides.ts';

/** An address by DHCP, and the way that it names. */
async function guest(host: OtherHost, name: string, bridge: string, mac: string): Promise<Agent> {
  const agent = await host.plug(name, bridge, mac);
  const lease = await agent.dhcp({ mac, hostname: name });
  const router = [...Buffer.from(lease?.options['3'] ?? '', 'hex')].join('.');
  await host.run(`ip -n ${name} address add ${lease?.address}/24 dev eth0
    ip -n ${name} route add default via ${router}`);
  return agent;
}

const reach = async (agent: Agent): Promise<readonly string[]> =>
  (
    await agent.probe([
      { kind: 'icmp', to: WEB[4] },
      { kind: 'tcp', to: WEB[4], port: 80 },
      { kind: 'udp', to: WEB[4], port: 80 },
    ])
  ).map(({ is }) => is);
const OUT = ['yes', 'yes', 'yes'];

/** Without what counts packets and changes by itself. */
const rulesOf = async (host: OtherHost): Promise<string> =>
  (await host.run('iptables-save; ip6tables-save')).replace(/^#.*$|\[\d+:\d+\]/gm, '');
/** Ours, by their mark, may be there: the repair of DHCP checksums. */
const theirRules = async (host: OtherHost): Promise<string> =>
  (await rulesOf(host)).replace(/^.*"qlaunch:.*\n/gm, '');
const forwarding = (host: OtherHost): Promise<string> => host.run('cat /proc/sys/net/ipv4/ip_forward');

test('libvirt’s default and ours run side by side, and each outlives the other', async () => {
  const { host } = await libvirtSide();
  await virsh(host, 'net-start default');
  const web = await host.agent('web');
  await web.listen([WEB[4]], [80]);
  const theirs = await guest(host, 'theirs', 'virbr0', '52:54:00:98:07:01');
  expect(await reach(theirs)).toEqual(OUT);
  const before = await rulesOf(host);
  const xml = await virsh(host, 'net-dumpxml default');

  // Its network is used as it is: a port of its bridge, and no network to start.
  await host.run('truncate -s 16M /run/disk.raw');
  const launch = (net: string): Promise<string> =>
    qlaunch(host, `/run/disk.raw --accel tcg --net ${net} --dry-run 2>&1 || true`);
  const dry = await launch('nat');
  expect(dry).toContain('libvirt’s network on virbr0');
  expect(dry).toMatch(/master virbr0/);
  expect(dry).not.toContain('nft');
  expect(await launch('nat,fwd=8080:80')).toContain('virsh -c qemu:///system net-edit default');

  await qlaunch(host, 'net start default');
  const info = JSON.parse(await qlaunch(host, 'net info default --json')) as Record<string, unknown>;
  expect(info).toMatchObject({ active: true, bridge: 'qbr0' });
  expect(info['addresses']).not.toContain(`${NETWORKS.default.gateway[4]}/24`);
  // Who starts ours means ours.
  expect(await launch('nat')).toMatch(/master qbr0/);
  const ours = await guest(host, 'ours', 'qbr0', '52:54:00:98:07:02');
  expect([await reach(ours), await reach(theirs)]).toEqual([OUT, OUT]);
  expect(await theirRules(host)).toBe(before);

  // It makes all its rules anew.
  await host.run('iptables -F LIBVIRT_FWI; kill -HUP "$(cat /run/libvirtd.pid)"');
  await expect.poll(() => theirRules(host), { timeout: 30_000 }).toBe(before);
  expect([await reach(ours), await reach(theirs)]).toEqual([OUT, OUT]);
  expect(await qlaunch(host, 'net check default --no-probe')).not.toContain('problem');

  await qlaunch(host, 'net stop default --force');
  expect([await rulesOf(host), await forwarding(host)]).toEqual([before, '1\n']);
  expect(await virsh(host, 'net-dumpxml default')).toBe(xml);
  expect(await reach(theirs)).toEqual(OUT);

  await qlaunch(host, 'net start default');
  await host.run('ip link set ours0 master qbr0');
  await virsh(host, 'net-destroy default');
  expect(await reach(ours)).toEqual(OUT);
  await qlaunch(host, 'net stop default --force');
  expect(await host.run('nft list ruleset')).not.toContain('qlaunch');
}, 120_000);
