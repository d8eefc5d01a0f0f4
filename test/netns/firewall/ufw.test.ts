// needs: bridge, nft_inet, nft_nat, veth
/** ufw itself: its rules are in its files, which outlive a boot. Ours do not outlive their network, others are not touched. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { internet } from '../../tiers/internet.ts';
import { station } from '../../tiers/station.ts';
import { sh, ufw } from './daemons.ts';
import { lab, reaches, serve } from './lab.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

test('ufw', async () => {
  ufw();
  const { nonce, url } = await internet();
  const w = await lab();
  await serve(8080);
  // Somebody's own, which we would have made as well.
  sh("ufw allow in on lab0 to any port 53 comment 'names for the lab'");
  const added = (): string => sh('ufw show added');
  const before = added();

  const started = await w.qlaunch('net', 'start', 'lab', '--no-probe');
  expect(started).toMatchObject({
    status: 0,
    stderr: expect.stringContaining('ufw drops in ip filter INPUT'),
  });
  const guest = station('guest', 'lab0');
  const address = guest.dhcp();
  expect(address).toMatch(/^10\.98\.0\./);
  const works = (): void => {
    expect(guest.resolve('guest.lab.example', '10.98.0.1')).toEqual([address]);
    expect(guest.fetch(url)).toBe(`${nonce}\n`);
    expect(reaches(guest, 8080)).toBe(false);
  };
  works();
  const ours = (): readonly string[] =>
    added()
      .split('\n')
      .filter((line) => line.includes('qlaunch:net/lab:'));
  const first = ours();
  expect(first).toHaveLength(4);

  // The power goes: what is left is on the disk.
  const { dnsmasqPid } = JSON.parse((await w.qlaunch('net', 'info', 'lab', '--json')).stdout);
  expect(dnsmasqPid).toBeGreaterThan(1);
  process.kill(dnsmasqPid, 'SIGKILL');
  sh('ip link delete dev lab0; nft delete table inet qlaunch_lab; sysctl -qw net.ipv4.ip_forward=0');
  rmSync(join(w.dir, 'run'), { recursive: true });
  writeFileSync(join(w.dir, 'boot_id'), `${randomUUID()}\n`);
  sh(`mount --bind ${join(w.dir, 'boot_id')} ${BOOT_ID}`);
  onTestFinished(() => void sh(`umount ${BOOT_ID} 2>/dev/null || true`));
  expect(ours()).toEqual(first);

  expect(await w.qlaunch('net', 'start', 'lab', '--no-probe')).toMatchObject({ status: 0 });
  const second = ours();
  expect(second).toHaveLength(4);
  expect(second).not.toEqual(first);
  execFileSync('ip', ['link', 'set', 'dev', 'guest0', 'master', 'lab0']);
  works();

  execFileSync('ip', ['link', 'delete', 'dev', 'lab0']);
  expect(await w.qlaunch('net', 'stop', 'lab', '--force')).toMatchObject({ status: 0 });
  expect(added()).toBe(before);

  // Who says no means it.
  sh('ufw route deny in on lab0');
  expect(await w.qlaunch('net', 'start', 'lab', '--no-probe')).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(
      /^qlaunch: ufw drops in ip filter FORWARD .*; only who made its rules can open it\n[\s\S]*\n {2}try: sudo ufw route delete deny in on lab0$/m,
    ),
  });
  expect(ours()).toHaveLength(3);
  expect(await w.qlaunch('net', 'check', 'lab', '--no-probe')).toMatchObject({
    status: 3,
    stdout: expect.stringMatching(
      /ufw drops in ip filter FORWARD .*\n.*sudo ufw route delete deny in on lab0\n/,
    ),
  });
  expect(await w.qlaunch('net', 'check', 'lab', '--fix', '--no-probe')).toMatchObject({
    ...{ status: 3, stderr: '' },
    stdout: expect.stringContaining('ufw drops in ip filter FORWARD'),
  });
  expect(await w.qlaunch('net', 'stop', 'lab')).toMatchObject({ status: 0 });
  expect(added()).toBe(`${before}\nufw route deny in on lab0`);
  // What was said to type is what helps.
  sh('ufw route delete deny in on lab0');
  expect(added()).toBe(before);
  expect(JSON.parse((await w.qlaunch('changes', '--json')).stdout)).toEqual([]);
}, 240_000);
