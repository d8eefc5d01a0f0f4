import { randomUUID } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { parentOf, pidOf, programs, vmRow, world } from '../../tiers/cli.ts';
import { consoleFile } from '../../tiers/console.ts';
import { guestCopy } from '../../tiers/guest.ts';
import { serveNonce } from '../../tiers/nonce.ts';
import { freePort } from '../../tiers/port.ts';
import { underQemus } from '../../tiers/qemus.ts';

test.each(underQemus(programs))(
  'a detached VM boots on the default network, serves, and shuts down politely (qlaunch for $ours.label, QEMU $qemu.label)',
  async ({ ours: { path }, qemu: { binary } }) => {
    const w = world(path);
    const served = await serveNonce();
    const port = await freePort();
    const image = guestCopy(w.dir);
    const fetchIt = ['--', '-fw_cfg', `name=opt/qlaunch/fetch,string=http://10.0.2.2:${served.port}/`];
    const started = await w.qlaunch(
      image,
      '-d',
      '-n',
      'web',
      '--accel',
      'tcg',
      '--qemu',
      binary,
      '-m',
      '256',
      '--net',
      `user,fwd=${port}:80`,
      ...fetchIt,
    );
    expect(started).toMatchObject({ status: 0 });
    expect(started.stdout).toMatch(/^web is running \(pid \d+\)/);

    const row = await vmRow(w, 'web');
    expect(row.state).toBe('running');
    const console = consoleFile(join(row.dir, 'serial.log'));
    await console.waitFor('QLAUNCH-GUEST ready');
    expect(console.text()).toContain(`QLAUNCH-GUEST fetched ${served.nonce}\n`);
    const nonce = randomUUID();
    expect(await (await fetch(`http://127.0.0.1:${port}/cgi-bin/echo?${nonce}`)).text()).toContain(nonce);

    const typed = await execa(path, ['console', 'web'], {
      env: w.env,
      input: 'echo $((6 * 7)) is the answer\n',
      reject: false,
    });
    expect(typed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('42 is the answer') });
    await console.waitFor('42 is the answer');
    const status = await w.qlaunch('qmp', 'web', 'query-status');
    expect(JSON.parse(status.stdout)).toMatchObject({ status: 'running' });

    expect(await w.qlaunch('stop', 'web')).toMatchObject({ status: 0, stderr: 'web: shut down' });
    expect(await vmRow(w, 'web')).toMatchObject({ state: 'ended', reason: 'shut down' });
    expect((await w.qlaunch('logs', 'web', '--serial')).stdout).toContain('QLAUNCH-GUEST powering-off');
  },
);

describe.each(programs)('a detached VM, qlaunch for $label', ({ path }) => {
  test('goes on when its waiter is killed, and is called lost when both are', async () => {
    const w = world(path);
    await w.qlaunch(guestCopy(w.dir), '-d', '-n', 'lone', '--accel', 'tcg');
    const pid = await pidOf(w, 'lone');
    process.kill(parentOf(pid), 'SIGKILL');
    expect(await vmRow(w, 'lone')).toMatchObject({ state: 'running', pid });
    expect(await w.qlaunch('kill', 'lone')).toMatchObject({ status: 0 });
    expect(await vmRow(w, 'lone')).toMatchObject({ state: 'lost' });
    expect(await w.qlaunch('ps', '--clean')).toMatchObject({ stderr: 'removed the logs of lone' });
    expect((await w.qlaunch('ps', '--json')).stdout).toBe('[]');
  });

  test('root’s --clean leaves others what is theirs, unless told', async () => {
    const w = world(path);
    const dead = async (name: string, ...more: readonly string[]): Promise<void> => {
      const image = guestCopy(w.dir, `${name}.qcow2`);
      chmodSync(w.dir, 0o711);
      chmodSync(image, 0o644);
      const started = await w.qlaunch(image, '-d', '-n', name, '--accel', 'tcg', '--snapshot', ...more);
      expect(started).toMatchObject({ status: 0 });
      await w.qlaunch('kill', name);
    };
    await dead('mine');
    await dead('theirs', '--run-as', 'nobody');
    expect(await w.qlaunch('ps', '--clean')).toMatchObject({ status: 0, stderr: 'removed the logs of mine' });
    expect(await vmRow(w, 'theirs')).toMatchObject({ state: 'failed' });
    expect((await w.qlaunch('ps', '--clean')).stderr).toContain('--all-users');
    expect((await w.qlaunch('ps', '--clean', '--all-users')).stderr).toBe('removed the logs of theirs');
    expect((await w.qlaunch('ps', '--json')).stdout).toBe('[]');
  });

  test('QEMU killed by somebody else: the reason is kept', async () => {
    const w = world(path);
    await w.qlaunch(guestCopy(w.dir), '-d', '-n', 'shot', '--accel', 'tcg');
    process.kill(await pidOf(w, 'shot'), 'SIGSEGV');
    expect(await w.qlaunch('wait', 'shot', '--timeout', '20')).toMatchObject({
      status: 4,
      stderr: 'shot: killed by signal 11',
    });
  });

  test('two VMs of one image have two MACs', async () => {
    const w = world(path);
    const image = guestCopy(w.dir);
    const start = (name: string): ReturnType<typeof w.qlaunch> =>
      w.qlaunch(image, '-d', '-n', name, '--snapshot', '--accel', 'tcg', '-m', '64');
    expect(await start('one')).toMatchObject({ status: 0, stderr: '' });
    expect(await start('two')).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(
        /^qlaunch: net0: the running VM "one" has 52:54:00:\S+, so this one has /,
      ),
    });
    const { stdout } = await w.qlaunch('ps', '--json');
    const macs = (JSON.parse(stdout) as { nics: { mac: string }[] }[]).map(({ nics }) => nics[0]?.mac);
    expect(new Set(macs).size).toBe(2);
  });

  test('the same image twice is refused, another image of that name gets a suffix', async () => {
    const w = world(path);
    const image = guestCopy(w.dir, 'twin.qcow2');
    await w.qlaunch(image, '-d', '--accel', 'tcg');
    const again = await w.qlaunch(image, '-d', '--accel', 'tcg');
    expect(again.status).toBe(3);
    expect(again.stderr).toContain('a VM "twin" is running already');
    const other = guestCopy(w.dir, 'other.qcow2');
    const moved = join(w.dir, 'twin.raw');
    await execa('qemu-img', ['convert', '-O', 'raw', other, moved]);
    expect((await w.qlaunch(moved, '-d', '--accel', 'tcg')).stdout).toMatch(/^twin-2 is running/);
  });
});
