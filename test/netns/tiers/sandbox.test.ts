// needs: veth
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('the sandbox has a network of its own, and its /sys shows it', () => {
  const devices = (): string[] => readdirSync('/sys/class/net').filter((name) => name !== 'bonding_masters');
  expect(devices()).toEqual(['lo']);
  execFileSync('ip', ['link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1']);
  expect(devices().sort()).toEqual(['lo', 'v0', 'v1']);
  expect(execFileSync('ip', ['-br', 'addr', 'show', 'lo'], { encoding: 'utf8' })).toContain('127.0.0.1/8');
});

test('/etc is a copy and /run is empty, so that a test leaves nothing on the machine', () => {
  writeFileSync('/etc/qlaunch-sandbox', 'written by a test');
  expect(readFileSync('/etc/passwd', 'utf8')).toContain('root:');
  expect(execFileSync('findmnt', ['-n', '-o', 'FSTYPE', '/etc'], { encoding: 'utf8' }).trim()).toMatch(
    /^(overlay|tmpfs)$/,
  );
  expect(existsSync('/run/qlaunch')).toBe(false);
  expect(readdirSync('/var/lib')).toEqual([]);
});

test('process numbers are its own, and an orphan that ends is collected', async () => {
  expect(readFileSync('/proc/1/cmdline', 'utf8')).toContain('sandbox');
  const pid = execFileSync('sh', ['-c', 'sleep 0.1 >/dev/null & echo $!'], { encoding: 'utf8' }).trim();
  await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false);
});
