// needs: veth
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { vmRow, world } from '../../tiers/cli.ts';
import { guestCopy, guestFile } from '../../tiers/guest.ts';
import { freePort } from '../../tiers/port.ts';

const passts = (): number =>
  execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => /^\S*passt/.test(line)).length;

test('a QEMU that refuses takes its passt along, and the next start finds the port free', async () => {
  execFileSync('sh', [
    '-c',
    'ip link add up0 type veth peer name up1; ip addr add 192.0.2.2/24 dev up0; ip link set up0 up; ip link set up1 up; ip route add default via 192.0.2.1',
  ]);
  const w = world();
  const args = [
    guestCopy(w.dir),
    '-d',
    '-n',
    'pa',
    '--accel',
    'tcg',
    '--net',
    `passt,fwd=${await freePort()}:80`,
  ];
  const refused = await w.qlaunch(...args, '--', '-nonsense');
  expect(refused.status).toBe(4);
  expect(refused.stderr).toContain('-nonsense: invalid option');
  await expect.poll(passts).toBe(0);
  expect(await w.qlaunch(...args)).toMatchObject({ status: 0 });
});

test('a QEMU that never answers is ended when the user gives up, and said to be', async () => {
  const w = world();
  const waits = ['--', '-chardev', `socket,id=w,path=${w.dir}/w.sock,server=on,wait=on`];
  const run = w.start([guestCopy(w.dir), '-n', 'stuck', '--accel', 'tcg', ...waits]);
  await expect
    .poll(async () => (await vmRow(w, 'stuck').catch(() => undefined))?.state, { timeout: 20_000 })
    .toBe('running');
  run.child.kill('SIGINT');
  expect(await run.status).toBe(3);
  expect(await vmRow(w, 'stuck')).toMatchObject({ state: 'failed', reason: 'killed by signal 9' });
});

test('an installation that QEMU refuses leaves no disk; -v says what was chosen', async () => {
  const w = world();
  const disk = join(w.dir, 'new.qcow2');
  const args = [
    'install',
    '--cdrom',
    guestFile('guest.iso'),
    '--disk',
    disk,
    '--size',
    '64M',
    '-d',
    '-v',
    '--accel',
    'tcg',
  ];
  const refused = await w.qlaunch(...args, '--', '-nonsense');
  expect(refused.status).toBe(4);
  expect(existsSync(disk)).toBe(false);
  expect(refused.stderr).toMatch(/^accelerator tcg, as asked for$/m);
  expect(refused.stderr).toMatch(/^net0: user, MAC 52:54:00(:[0-9a-f]{2}){3}$/m);
  const vmdk = await w.qlaunch(...args.map((word) => (word === disk ? `${disk},format=vmdk` : word)));
  expect(vmdk).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('a new disk is qcow2 or raw, not vmdk'),
  });
});

test('ten starts of one VM at once: one runs, nine are told so', async () => {
  const w = world();
  const image = guestCopy(w.dir);
  const results = await Promise.all(
    Array.from({ length: 10 }, () => w.qlaunch(image, '-d', '-n', 'one', '--accel', 'tcg')),
  );
  expect(results.filter(({ status }) => status === 0)).toHaveLength(1);
  for (const { status, stderr } of results.filter((result) => result.status !== 0)) {
    expect(stderr).not.toContain('this is a bug');
    expect([3, 5]).toContain(status);
  }
  expect(await vmRow(w, 'one')).toMatchObject({ state: 'running' });
});

test('six first starts of six VMs at once all run, with six MACs', async () => {
  const w = world();
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const results = await Promise.all(
    names.map((name) => w.qlaunch(guestCopy(w.dir, `${name}.qcow2`), '-d', '--accel', 'tcg', '-m', '64')),
  );
  for (const result of results) expect(result).toMatchObject({ status: 0, stderr: '' });
  const { stdout } = await w.qlaunch('ps', '--json');
  const macs = (JSON.parse(stdout) as { nics: { mac: string }[] }[]).map(({ nics }) => nics[0]?.mac);
  expect(new Set(macs).size).toBe(6);
});
