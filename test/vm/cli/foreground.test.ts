import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { programs, vmRow, world } from '../../tiers/cli.ts';
import { consoleOf } from '../../tiers/console.ts';
import { guestCopy } from '../../tiers/guest.ts';

const SERIAL = ['--accel', 'tcg', '-m', '256', '--serial', 'stdio'];

describe.each(programs)('a foreground VM, qlaunch for $label', ({ path }) => {
  test('the guest that ends itself gives status 0, and its shell is on our terminal', async () => {
    const w = world(path);
    const run = w.start([guestCopy(w.dir), ...SERIAL]);
    const console = consoleOf(run.stdout, run.stdin);
    await console.waitFor('QLAUNCH-GUEST ready');
    console.type('poweroff -f');
    expect(await run).toMatchObject({ exitCode: 0 });
    expect((await w.qlaunch('logs', 'guest', '--serial')).stdout).toContain('QLAUNCH-GUEST ready');
  });

  test('one Ctrl-C presses the power button', async () => {
    const w = world(path);
    const run = w.start([guestCopy(w.dir), ...SERIAL]);
    await consoleOf(run.stdout).waitFor('QLAUNCH-GUEST ready');
    run.kill('SIGINT');
    const { exitCode, stdout } = await run;
    expect(exitCode).toBe(0);
    expect(stdout).toContain('QLAUNCH-GUEST powering-off');
  });

  test('a second Ctrl-C ends a guest that does not listen', async () => {
    const w = world(path);
    // Without a disk to boot, the firmware waits for ever and hears no power button.
    const run = w.start(['--name', 'deaf', '--accel', 'tcg', '--net', 'none']);
    await untilRunning(w, 'deaf');
    run.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 300));
    run.kill('SIGINT');
    expect(await run).toMatchObject({ exitCode: 0 });
    expect(await vmRow(w, 'deaf')).toMatchObject({ state: 'ended' });
  });

  test('killed with -9, it leaves a VM that ps shows and stop ends', async () => {
    const w = world(path);
    const run = w.start([guestCopy(w.dir), '--accel', 'tcg', '-m', '256', '-n', 'orphan']);
    await untilRunning(w, 'orphan');
    run.kill('SIGKILL');
    await run;
    expect(await vmRow(w, 'orphan')).toMatchObject({ state: 'running' });
    expect(await w.qlaunch('stop', 'orphan', '--timeout', '1')).toMatchObject({ status: 0 });
  });

  test('what QEMU refuses is told in its words, and nothing is left running', async () => {
    const w = world(path);
    const run = await w.qlaunch('--name', 'bad', '--accel', 'tcg', '--net', 'none', '--', '-device', 'no-such-device');
    expect(run.status).toBe(4);
    expect(run.stderr).toContain("'no-such-device' is not a valid device model name");
    expect(run.stderr).not.toContain('    at ');
    expect(await vmRow(w, 'bad')).toMatchObject({ state: 'failed' });
  });

  test('a missing image, a directory, and a wrong key are told together, before anything starts', async () => {
    const w = world(path);
    const run = await w.qlaunch(join(w.dir, 'none.qcow2'), '-m', 'lots', '--net', 'user,fwdd=1:2');
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('--memory');
    expect(run.stderr).toContain('fwdd');
    expect((await w.qlaunch('ps', '--json')).stdout).toBe('[]');
  });
});

async function untilRunning(w: ReturnType<typeof world>, name: string): Promise<void> {
  for (;;) {
    const row = await vmRow(w, name).catch(() => undefined);
    if (row?.state === 'running') return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
