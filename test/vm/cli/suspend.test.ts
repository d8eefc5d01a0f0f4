import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { pidOf, programs, world } from '../../tiers/cli.ts';
import { consoleOf } from '../../tiers/console.ts';
import { guestCopy } from '../../tiers/guest.ts';

test('Ctrl-Z gives the terminal to the shell, fg gives it back to the guest', async () => {
  const w = world();
  // A terminal of its own, and a shell that does not look after its settings.
  const child = spawn('script', ['-qfc', 'dash -i', '/dev/null'], {
    cwd: w.dir,
    env: { ...process.env, ...w.env },
  });
  onTestFinished(() => void child.kill());
  const screen = consoleOf(child.stdout, child.stdin);
  const settings = (tty: string): string => execFileSync('stty', ['-a', '-F', tty], { encoding: 'utf8' });
  const state = (pid: number): string => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0] ?? '';

  screen.type('echo "<$(tty)>"');
  const tty = /<(\/dev\/pts\/\d+)>/.exec(await screen.waitFor(/<\/dev\/pts\/\d+>/))?.[1] ?? '';
  screen.type(`${programs[0]?.path} ${guestCopy(w.dir)} -n here --accel tcg -m 256 --serial stdio`);
  await screen.waitFor('QLAUNCH-GUEST ready');
  const qemu = await pidOf(w, 'here');
  expect(settings(tty)).toMatch(/ -icanon/);

  child.stdin.write('\x1a');
  await screen.waitFor('Stopped');
  expect(settings(tty)).toMatch(/ icanon/);
  expect(state(qemu)).toBe('T');
  screen.type('echo shell $((40 + 2))');
  await screen.waitFor('shell 42');

  screen.type('fg');
  await expect.poll(() => settings(tty)).toMatch(/ -icanon/);
  await expect.poll(() => state(qemu)).not.toBe('T');
  screen.type('echo guest $((40 + 3))');
  await screen.waitFor('guest 43');
  screen.type('poweroff -f');
  await expect.poll(() => settings(tty), { timeout: 20_000 }).toMatch(/ icanon/);
});
