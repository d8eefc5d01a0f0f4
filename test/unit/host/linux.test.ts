import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { processStart } from '../../../src/host/ids.ts';
import { cleanEnvironment, linuxMachine } from '../../../src/host/linux.ts';

const machine = linuxMachine();

test('past its deadline a command is killed, with all that it started', async () => {
  const result = await machine.run(['sh', '-c', 'sleep 60 & echo $!; wait'], { timeoutMs: 200 });
  expect(result).toMatchObject({ status: null, signal: 'SIGKILL', timedOut: true });
  expect(processStart(Number(result.stdout))).toBeUndefined();
});

test('a command that ignores its pipes does not hold us past the deadline', async () => {
  const result = await machine.run(['setsid', '--fork', 'sleep', '2'], { timeoutMs: 200 });
  expect(result.timedOut).toBe(true);
});

test('a tool that does not read its input is no failure of ours', async () => {
  expect(await machine.run(['true'], { stdin: 'x'.repeat(1 << 20) })).toMatchObject({ status: 0 });
});

test('a signal is told apart from a status', async () => {
  expect(await machine.run(['sh', '-c', 'kill -9 $$'])).toMatchObject({
    status: null,
    signal: 'SIGKILL',
    timedOut: false,
  });
  expect(await machine.run(['sh', '-c', 'exit 3'])).toMatchObject({ status: 3, signal: null });
});

test('tools speak C and know nothing of our Node', () => {
  process.env['NODE_OPTIONS'] = '--no-warnings';
  expect(cleanEnvironment()).toMatchObject({ LC_ALL: 'C' });
  expect(cleanEnvironment()).not.toHaveProperty('NODE_OPTIONS');
  delete process.env['NODE_OPTIONS'];
});

test('a process is known by pid and start, also under a strange name', async () => {
  expect(processStart(process.pid)).toBeGreaterThan(0);
  expect(existsSync('/proc/1')).toBe(true);
  const { stdout } = await machine.run([
    'sh',
    '-c',
    'cp "$(command -v cat)" "$0" && "$0" /proc/self/stat; rm "$0"',
    '/tmp/a) b (c',
  ]);
  expect(stdout).toContain('(a) b (c)');
});
