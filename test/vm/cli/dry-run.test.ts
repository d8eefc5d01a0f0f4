import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connectQmp } from '../../../src/run/qmp/connect.ts';
import { pidOf, programs, world } from '../../tiers/cli.ts';
import { guestCopy } from '../../tiers/guest.ts';
import { qemus } from '../../tiers/qemus.ts';

/** What a shell might trip over. */
const NASTY = 'a, b\'c $(touch x) "d".qcow2';

interface Printed {
  readonly name: string;
  readonly dir: string;
  readonly qemu: { readonly argv: readonly string[] };
}

test.each(qemus)('the printed text, given to sh, starts the very VM (QEMU $label)', async ({ binary }) => {
  const w = world();
  const args = [
    guestCopy(w.dir, NASTY),
    '-n',
    'pasted',
    '--accel',
    'tcg',
    '--qemu',
    binary,
    '--snapshot',
    '-m',
    '192',
  ];
  const text = await w.qlaunch(...args, '--dry-run');
  expect(text).toMatchObject({ status: 0, stderr: '' });
  const { dir }: Printed = JSON.parse((await w.qlaunch(...args, '--dry-run', '--json')).stdout);
  const sh = spawn('sh', ['-eu'], { cwd: w.dir, stdio: ['pipe', 'inherit', 'inherit'] });
  const ended = once(sh, 'exit');
  sh.stdin.end(text.stdout);
  onTestFinished(() => void sh.kill());
  const qmp = await connectQmp(join(dir, 'command.sock'), { deadlineMs: 20_000 });
  expect(await qmp.execute('query-name')).toEqual({ name: 'pasted' });
  expect(await qmp.execute('query-memory-size-summary')).toMatchObject({ 'base-memory': 192 * 1024 * 1024 });
  expect(JSON.stringify(await qmp.execute('query-block'))).toContain(JSON.stringify(NASTY).slice(1, -1));
  await qmp.execute('quit');
  expect(await ended).toEqual([0, null]);
});

test('the printed text of a UEFI guest makes its variables, in a state directory that is not there yet', async () => {
  const w = world();
  const args = [guestCopy(w.dir), '-n', 'uefi', '--accel', 'tcg', '--uefi', '--net', 'none'];
  const text = await w.qlaunch(...args, '--dry-run');
  const { dir }: Printed = JSON.parse((await w.qlaunch(...args, '--dry-run', '--json')).stdout);
  const sh = spawn('sh', ['-u'], { cwd: w.dir, stdio: ['pipe', 'inherit', 'inherit'] });
  const ended = once(sh, 'exit');
  sh.stdin.end(text.stdout);
  onTestFinished(() => void sh.kill());
  const qmp = await connectQmp(join(dir, 'command.sock'), { deadlineMs: 20_000 });
  expect(JSON.stringify(await qmp.execute('query-block'))).toContain(join(w.dir, 'state', 'uefi'));
  await qmp.execute('quit');
  expect(await ended).toEqual([0, null]);
});

test('the printed text stops at a step that fails, and leaves the shell it was pasted into alone', async () => {
  const w = world();
  const { stdout } = await w.qlaunch(guestCopy(w.dir), '-n', 'cut', '--accel', 'tcg', '--dry-run');
  writeFileSync(join(w.dir, 'run'), 'a file where a directory should be');
  const sh = spawn('sh', [], { cwd: w.dir, stdio: ['pipe', 'pipe', 'ignore'] });
  const said = sh.stdout.setEncoding('utf8').toArray();
  sh.stdin.end(`${stdout}\necho still here: $?\n`);
  expect((await said).join('')).toBe('still here: 1\n');
});

test.each(programs)('what is printed is what is run (qlaunch for $label)', async ({ path }) => {
  const w = world(path);
  const args = [guestCopy(w.dir), '-n', 'same', '--accel', 'tcg', '--net', 'user,dns=10.0.2.9', '--balloon'];
  const printed: Printed = JSON.parse((await w.qlaunch(...args, '--dry-run', '--json')).stdout);
  expect((await w.qlaunch(...args, '-d')).status).toBe(0);
  const running = readFileSync(`/proc/${await pidOf(w, 'same')}/cmdline`, 'utf8')
    .split('\0')
    .slice(0, -1);
  expect(running).toEqual(printed.qemu.argv);
});

test('the QEMU of a user’s profile never runs as root, not even to be asked', async () => {
  const w = world();
  const seen = join(w.dir, 'seen');
  const qemu = join(w.dir, 'qemu');
  writeFileSync(seen, '');
  chmodSync(seen, 0o666);
  writeFileSync(qemu, `#!/bin/sh\nid -u >>${seen}\nexec qemu-system-x86_64 "$@"\n`, { mode: 0o755 });
  const image = guestCopy(w.dir);
  chmodSync(w.dir, 0o755);
  chownSync(image, 65_534, 65_534);
  const profile = join(w.dir, 'his.ini');
  writeFileSync(profile, `[vm]\nqemu = ${qemu}\ndisk = ${image}\n`);
  for (const accel of ['auto', 'tcg']) {
    const args = [profile, '--run-as', 'nobody', '--accel', accel, '--dry-run'];
    expect(await w.qlaunch(...args)).toMatchObject({ status: 0 });
  }
  const uids = readFileSync(seen, 'utf8').split('\n').filter(Boolean);
  expect([...new Set(uids)]).toEqual(['65534']);
});
