// needs: bridge, nft_inet, nft_nat, veth
/** In a file of its own: a namespace that has seen iptables-legacy keeps its tables. */
import { execFileSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { world } from '../../tiers/cli.ts';
import { unpackedIptables } from '../../tiers/iptables.ts';
import { worksBy } from './by-iptables.ts';

const sh = (line: string): string => execFileSync('sh', ['-c', line], { encoding: 'utf8' });

test(
  'where nft is missing, by iptables-legacy: out, not in but by a forward, and nothing is left',
  () => worksBy('legacy'),
  120_000,
);

test('rules of iptables-legacy beside nft are named, and the way to look at them', async () => {
  const bin = unpackedIptables('legacy', '-legacy');
  const w = world();
  onTestFinished(async () => void (await w.qlaunch('net', 'stop', 'default', '--force')));
  const said = 'iptables-legacy has rules of its own';
  sh(`${bin}/iptables-legacy -P FORWARD DROP`);
  expect(await w.qlaunch('net', 'start', 'default')).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(new RegExp(`^qlaunch: ${said}.*\\n  try: sudo iptables-legacy -S `)),
  });
  const check = async (): Promise<string> => (await w.qlaunch('net', 'check', '--no-probe')).stdout;
  expect(await check()).toMatch(new RegExp(`^warning  default: ${said}`, 'm'));
  sh(`${bin}/iptables-legacy -P FORWARD ACCEPT`);
  expect(await check()).not.toContain(said);
  expect(await w.qlaunch('net', 'stop', 'default')).toMatchObject({ status: 0 });
}, 60_000);
