// needs: bridge, veth
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { world } from '../../tiers/cli.ts';
import { cable, ip, NIC, settled, talk } from './outside.ts';

/** The address that 52:54:00:aa:bb:01 has in fd09::/64 (RFC 4291, appendix A). */
const SLAAC = 'fd09::5054:ff:feaa:bb01';
const WORDS = [
  ...['netns', 'exec', 'outside', 'dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--user=root'],
  ...['--port=0', '--pid-file=', '--interface=far', '--bind-interfaces', '--enable-ra'],
  ...['--ra-param=far,5,600', '--dhcp-range=fd09::,ra-only,64,10m'],
];

/** Router advertisements from the other end of the cable; the next call starts anew, which says it all again soon. */
function router(): () => Promise<void> {
  // Or its neighbour advertisements would say that it is none, and hosts would drop their route.
  ip('netns exec outside sysctl -qw net.ipv6.conf.all.forwarding=1');
  let child: ChildProcess | undefined;
  const end = async (): Promise<void> => {
    if (child === undefined) return;
    child.kill();
    await once(child, 'exit');
  };
  onTestFinished(end);
  return async () => {
    await end();
    child = spawn('ip', WORDS, { stdio: 'inherit' });
    await once(child, 'spawn');
  };
}

const defaults = (link: string): readonly string[] =>
  ip(`-6 route show default dev ${link} proto ra`).split('\n').filter(Boolean);

const lifetime = (link: string): number =>
  Number(/ valid_lft (\d+)sec/.exec(ip(`-6 -o address show dev ${link} to ${SLAAC}`))?.[1]);

/** Shortened, the next advertisement makes it long again, as it does all its life. */
async function expectRenewed(link: string, advertise: () => Promise<void>): Promise<void> {
  ip(`address change ${SLAAC}/64 dev ${link} mngtmpaddr valid_lft 300 preferred_lft 300`);
  await advertise();
  await settled(() => lifetime(link) > 300);
}

test('what a router gave is on the bridge at once, renewed there, and on the NIC when the bridge goes', async () => {
  const { qlaunch } = world();
  cable();
  ip(`address add 10.9.0.50/24 dev ${NIC}`);
  const advertise = router();
  await advertise();
  await settled(() => defaults(NIC).length === 1 && lifetime(NIC) > 0);
  await settled(() => !ip('-6 -o address').includes('tentative'));
  const end = await talk([SLAAC, '10.9.0.50']);

  expect(await qlaunch('bridge', 'create', 'br0', '--uplink', NIC, '--confirm', '5m')).toMatchObject({
    status: 0,
    stderr: '',
  });
  expect(lifetime('br0')).toBeGreaterThan(0);
  expect(ip(`-6 address show dev ${NIC}`)).toBe('');
  expect(ip(`-6 route show dev ${NIC}`)).toBe('');
  // The kernel's own, and none of ours beside it.
  expect(defaults('br0')).toEqual([expect.stringContaining(' metric 1024 ')]);
  await expectRenewed('br0', advertise);

  expect(await qlaunch('bridge', 'revert')).toMatchObject({ status: 0 });
  expect(defaults(NIC)).toEqual([expect.stringContaining(' metric 1024 ')]);
  await expectRenewed(NIC, advertise);
  for (const stream of await end()) {
    expect(stream).toMatchObject({ ended: false });
    expect(stream.maxGapMs).toBeLessThan(1_000);
  }
}, 120_000);
