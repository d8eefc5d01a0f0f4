import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { programs, type Started, vmRow, world } from '../../tiers/cli.ts';
import { consoleOf } from '../../tiers/console.ts';
import { guestCopy } from '../../tiers/guest.ts';

const SERIAL = ['--accel', 'tcg', '-m', '256', '--serial', 'stdio'];

describe.each(programs)('a foreground VM, qlaunch for $label', ({ path }) => {
  test('the guest that ends itself gives status 0, and its shell is on our terminal', async () => {
    const w = world(path);
    const run = w.start([guestCopy(w.dir), ...SERIAL]);
    const console = consoleOf(run.child.stdout, run.child.stdin);
    await console.waitFor('QLAUNCH-GUEST ready');
    console.type('poweroff -f');
    expect(await run.status).toBe(0);
    expect((await w.qlaunch('logs', 'guest', '--serial')).stdout).toContain('QLAUNCH-GUEST ready');
  });

  test('one Ctrl-C presses the power button', async () => {
    const w = world(path);
    const run = w.start([guestCopy(w.dir), ...SERIAL]);
    const console = consoleOf(run.child.stdout);
    await console.waitFor('QLAUNCH-GUEST ready');
    run.child.kill('SIGINT');
    expect(await run.status).toBe(0);
    expect(console.text()).toContain('QLAUNCH-GUEST powering-off');
  });

  test('a Ctrl-C that comes while the guest still boots is not lost', async () => {
    const w = world(path);
    const run = w.start([guestCopy(w.dir), '-n', 'early', '--accel', 'tcg', '-m', '256']);
    await said(run, 'is running');
    // The firmware or the kernel is at work: nobody listens to the button yet.
    run.child.kill('SIGINT');
    expect(await run.status).toBe(0);
    expect((await w.qlaunch('logs', 'early', '--serial')).stdout).toContain('QLAUNCH-GUEST powering-off');
  });

  test('a second Ctrl-C ends a guest that does not listen', async () => {
    const w = world(path);
    // Without a disk to boot, the firmware waits for ever and hears no power button.
    const run = w.start([blankDisk(w.dir), '--name', 'deaf', '--accel', 'tcg']);
    await said(run, 'is running');
    run.child.kill('SIGINT');
    await said(run, 'asking the guest to power off');
    run.child.kill('SIGINT');
    expect(await run.status).toBe(0);
    expect(await vmRow(w, 'deaf')).toMatchObject({ state: 'ended' });
  });

  test('killed with -9, it leaves a VM that ps shows and stop ends', async () => {
    const w = world(path);
    const run = w.start([blankDisk(w.dir), '--accel', 'tcg', '-m', '256', '-n', 'orphan']);
    await untilRunning(w, 'orphan');
    run.child.kill('SIGKILL');
    await run.status;
    expect(await vmRow(w, 'orphan')).toMatchObject({ state: 'running' });
    // Its firmware hears no power button: said, and told apart from a shutdown.
    expect(await w.qlaunch('stop', 'orphan', '--timeout', '0.5')).toMatchObject({ status: 5 });
    expect(await vmRow(w, 'orphan')).toMatchObject({ state: 'ended' });
  });

  test('what QEMU refuses is told in its words, and nothing is left running', async () => {
    const w = world(path);
    const run = await w.qlaunch(
      blankDisk(w.dir),
      '--name',
      'bad',
      '--accel',
      'tcg',
      '--',
      '-device',
      'no-such-device',
    );
    expect(run.status).toBe(4);
    expect(run.stderr).toContain("'no-such-device' is not a valid device model name");
    expect(run.stderr).not.toContain('    at ');
    expect(await vmRow(w, 'bad')).toMatchObject({ state: 'failed' });
  });

  test('wrong values and unknown keys are told together, before anything starts', async () => {
    const w = world(path);
    const run = await w.qlaunch(join(w.dir, 'none.qcow2'), '-m', 'lots', '--net', 'user,fwdd=1:2');
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('--memory');
    expect(run.stderr).toContain('fwdd');
    expect((await w.qlaunch('ps', '--json')).stdout).toBe('[]');
  });
});

function blankDisk(dir: string): string {
  const path = join(dir, 'blank.raw');
  writeFileSync(path, Buffer.alloc(1024 * 1024));
  return path;
}

/** Waits until the program has said so on stderr. */
async function said(run: Started, text: string): Promise<void> {
  let all = '';
  for await (const chunk of run.child.stderr.iterator({ destroyOnReturn: false })) {
    all += String(chunk);
    if (all.includes(text)) return;
  }
  throw new Error(`it ended without saying "${text}": ${all}`);
}

async function untilRunning(w: ReturnType<typeof world>, name: string): Promise<void> {
  for (;;) {
    const row = await vmRow(w, name).catch(() => undefined);
    if (row?.state === 'running') return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
