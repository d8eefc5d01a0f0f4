// needs: bridge, veth
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { differences, type Snapshot, snapshot } from '../../snapshot.ts';
import { world } from '../../tiers/cli.ts';
import { scratchDir } from '../../tiers/guest.ts';
import { cable, carry, ip, NIC, quiet, STATIC, settled, talk } from './outside.ts';
import { server } from './server.ts';
import { askedOutside, guest } from './station.ts';

const look = (): Snapshot => snapshot({ files: [] });
const CREATE = ['bridge', 'create', 'br0', '--uplink', NIC];
const RESOLV = '/etc/resolv.conf';

test('a guest on the bridge has its address from the server outside, and is reached from there; names resolve as before', async () => {
  const { qlaunch } = world();
  const dir = scratchDir();
  cable();
  carry(STATIC);
  await server(dir, { dns: true });
  const resolv = readFileSync(RESOLV, 'utf8');
  onTestFinished(() => writeFileSync(RESOLV, resolv));
  // The second one is nobody: what did not answer before need not do so afterwards.
  writeFileSync(RESOLV, 'nameserver 10.9.0.1\nnameserver 10.9.0.200\nnameserver 127.0.0.53\n');
  await quiet();
  const before = look();
  const end = await talk();
  const made = await qlaunch(...CREATE);
  expect(made).toMatchObject({ status: 0, stderr: '' });
  expect(made.stdout).toContain('  proven   the name server 10.9.0.1 answers as before\n');
  expect(made.stdout).not.toContain('10.9.0.200');
  expect(await qlaunch('bridge', 'confirm')).toMatchObject({ status: 0 });

  guest();
  expect(await qlaunch('bridge', 'add-port', 'br0', 'g0')).toMatchObject({ status: 0 });
  const own = askedOutside(dir);
  expect(own).not.toBe('');
  execFileSync('ip', ['netns', 'exec', 'outside', 'ping', '-c', '1', '-W', '20', own]);
  // Also by the host itself, which is on the same bridge.
  execFileSync('ping', ['-c', '1', '-W', '20', own]);

  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  ip('link delete g0');
  expect(differences(before, look())).toEqual([]);
  for (const stream of await end()) {
    expect(stream).toMatchObject({ ended: false });
    expect(stream.maxGapMs).toBeLessThan(1_000);
  }
}, 60_000);

test('a reboot before it is confirmed ends in what was before: nothing of it is on the disk', async () => {
  const of = world();
  cable();
  ip(`address add 10.9.0.50/24 dev ${NIC}`);
  await quiet();
  const disk = (): Snapshot => snapshot({ files: ['/etc', of.env['QLAUNCH_STATE_DIR'] ?? ''] });
  mkdirSync(of.env['QLAUNCH_STATE_DIR'] ?? '');
  const files = (all: Snapshot): Snapshot => new Map([...all].filter(([key]) => key.startsWith('file ')));
  const before = files(disk());
  expect(await of.qlaunch(...CREATE, '--confirm', '2m')).toMatchObject({ status: 0 });
  expect(differences(before, files(disk()))).toEqual([]);

  // What a reboot does: no process, nothing in /run, no bridge; the NIC is as its configuration makes it.
  const run = of.env['QLAUNCH_RUNTIME_DIR'] ?? '';
  const watcher = execFileSync('sh', ['-c', `cat ${run}/confirm/*.armed`], { encoding: 'utf8' }).trim();
  process.kill(Number(watcher), 'SIGKILL');
  await settled(() => !existsSync(`/proc/${watcher}`));
  rmSync(run, { recursive: true });
  ip('link delete br0');
  ip(`address add 10.9.0.50/24 dev ${NIC}`);
  const booted = look();
  expect(await of.qlaunch('recover')).toMatchObject({ status: 0 });
  expect((await of.qlaunch('bridge', 'confirm')).stderr).toContain('QL_NO_TRIAL');
  expect((await of.qlaunch('changes', '--json')).stdout).toBe('[]');
  expect(differences(booted, look())).toEqual([]);
});
