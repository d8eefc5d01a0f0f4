// needs: bridge, nft_inet, nft_nat, veth, act_csum
/** Checksums of DHCP answers, completed by the kernel's own tc. */
import { execFileSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { differences, snapshot } from '../../snapshot.ts';
import { world } from '../../tiers/cli.ts';
import { station } from '../../tiers/station.ts';

test('by tc: each answer passes the action; mended, and gone with the network', async () => {
  const w = world();
  onTestFinished(async () => void (await w.qlaunch('net', 'stop', 'lab', '--force')));
  const words = ['--subnet', '10.94.0.0/24', '--bridge', 'lab0'];
  expect(await w.qlaunch('net', 'create', 'lab', ...words)).toMatchObject({ status: 0 });
  const before = snapshot();
  expect(await w.qlaunch('net', 'start', 'lab')).toMatchObject({ status: 0 });
  const guest = station('guest', 'lab0');
  expect(guest.dhcp() ?? guest.dhcp()).toMatch(/^10\.94\.0\./);
  const tc = (...argv: readonly string[]): string =>
    execFileSync('tc', [...argv, 'dev', 'lab0', 'egress'], { encoding: 'utf8' });
  expect(tc('-s', 'filter', 'show')).toMatch(/csum \(iph, udp\)[\s\S]*Sent [1-9]/);
  tc('filter', 'delete');
  expect(await w.qlaunch('net', 'check', '--no-probe')).toMatchObject({
    status: 3,
    stdout: expect.stringContaining('nobody completes the checksum of DHCP answers on lab0'),
  });
  expect(await w.qlaunch('net', 'check', '--fix', '--no-probe')).toMatchObject({ status: 0 });
  expect(tc('filter', 'show')).toContain('csum');
  expect(await w.qlaunch('net', 'stop', 'lab', '--force')).toMatchObject({ status: 0 });
  execFileSync('ip', ['link', 'delete', 'dev', 'guest0']);
  expect(differences(before, snapshot())).toEqual([]);
}, 90_000);
