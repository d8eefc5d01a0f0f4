// needs: bridge, veth
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { world } from '../../tiers/cli.ts';
import { cable, ip, NIC, settled, talk } from './outside.ts';

/** The address that 52:54:00:aa:bb:01 has in fd09::/64 (RFC 4291, appendix A). */
const SLAAC = 'fd09::5054:ff:feaa:bb01';

/** Router advertisements from the other end of the cable. */
async function router(): Promise<void> {
  const words = [
    ...[
      'netns',
      'exec',
      'outside',
      'dnsmasq',
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--user=root',
    ],
    ...[
      '--port=0',
      '--pid-file=',
      '--interface=far',
      '--bind-interfaces',
      '--enable-ra',
      '--ra-param=far,5,600',
    ],
    ...['--dhcp-range=fd09::,ra-only,64,10m'],
  ];
  const child = spawn('ip', words, { stdio: 'inherit' });
  await once(child, 'spawn');
  onTestFinished(async () => {
    child.kill();
    await once(child, 'exit');
  });
}

const learnt = (link: string): boolean =>
  ip(`-6 -o address show dev ${link}`).includes(SLAAC) &&
  ip(`-6 route show default dev ${link}`).includes('proto ra');

test('what a router gave is on the bridge at once, is renewed there, and the NIC learns it anew when the bridge goes', async () => {
  const { qlaunch } = world();
  cable();
  ip(`address add 10.9.0.50/24 dev ${NIC}`);
  await router();
  await settled(() => learnt(NIC) && !ip('-6 -o address').includes('tentative'));
  const end = await talk([SLAAC, '10.9.0.50']);

  expect(await qlaunch('bridge', 'create', 'br0', '--uplink', NIC, '--confirm', '5m')).toMatchObject({
    status: 0,
    stderr: '',
  });
  expect(learnt('br0')).toBe(true);
  expect(ip(`-6 address show dev ${NIC}`)).toBe('');
  expect(ip(`-6 route show dev ${NIC}`)).toBe('');
  // The next advertisement makes it the kernel's own again: with the full lifetime, and renewed from then on.
  const lifetime = (): number =>
    Number(/ valid_lft (\d+)sec/.exec(ip(`-6 -o address show dev br0 dynamic`))?.[1]);
  ip(`address change ${SLAAC}/64 dev br0 mngtmpaddr valid_lft 300 preferred_lft 300`);
  await settled(() => lifetime() > 300);

  expect(await qlaunch('bridge', 'revert')).toMatchObject({ status: 0 });
  expect(learnt(NIC)).toBe(true);
  ip(`-6 route flush default dev ${NIC}`);
  await settled(() => learnt(NIC));
  for (const stream of await end()) {
    expect(stream).toMatchObject({ ended: false });
    expect(stream.maxGapMs).toBeLessThan(1_000);
  }
}, 90_000);
