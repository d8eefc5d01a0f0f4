// needs: bridge
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { programs } from '../tiers/cli.ts';

const program = programs[0]?.path ?? '';

beforeEach(() => void execFileSync('ip', ['link', 'add', 'watchbr', 'type', 'bridge']));
afterEach(() => void execFileSync('ip', ['link', 'delete', 'watchbr']));

/** On a terminal of script(1)'s; its standard input is what is typed there. */
test('on a terminal the map is drawn in place, and Ctrl-C gives the terminal back', async () => {
  const line = `stty rows 9 cols 50; ${program} map --watch 0.1; echo status=$?`;
  // With CI set, Node takes every terminal for one without colours.
  const { CI: _ci, ...rest } = process.env;
  // script(1) runs $SHELL; dash dies of the Ctrl-C itself and tells no status.
  const env = { ...rest, SHELL: '/bin/bash', LC_ALL: 'C.UTF-8', TERM: 'xterm' };
  const child = spawn('script', ['-qec', line, '/dev/null'], { env });
  const closed = once(child, 'close');
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  const frames = (): readonly string[] => text.split('\u001b[?2026h\u001b[H').slice(1);
  await expect.poll(() => frames().length, { timeout: 20_000 }).toBeGreaterThan(3);
  execFileSync('ip', ['link', 'set', 'watchbr', 'up']);
  // Two frames with it, so that the first of them is whole.
  const green = (): readonly string[] => frames().filter((frame) => frame.includes('32mup'));
  await expect.poll(() => green().length, { timeout: 20_000 }).toBeGreaterThan(1);
  child.stdin.write('\u0003');
  await closed;

  expect(text.startsWith('\u001b[?1049h\u001b[?25l')).toBe(true);
  expect(text.trimEnd()).toMatch(/\u001b\[\?25h\u001b\[\?1049l\s*status=0$/);
  const [first = ''] = frames();
  expect(first).toContain('watchbr');
  expect(first).toContain('down');
  // Nothing is erased before it is drawn over: that is what flickers.
  for (const frame of frames()) expect(frame).not.toContain('\u001b[2J');
  for (const row of first.split('\u001b[K'))
    expect(row.replaceAll(/\u001b\[[^a-zA-Z]*[a-zA-Z]|[\r\n]/g, '').length).toBeLessThan(50);
});

test('without a terminal there is one object per line, and SIGTERM ends it as a shell tells it', async () => {
  const child = spawn(program, ['map', '--watch', '0.1', '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  await expect.poll(() => text.split('\n').length, { timeout: 20_000 }).toBeGreaterThan(3);
  child.kill('SIGTERM');
  expect(await closed).toEqual([143, null]);
  const boards = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { bridges: readonly { name: string; rates?: object }[] });
  const rates = boards.map(({ bridges }) => bridges.find(({ name }) => name === 'watchbr')?.rates);
  expect(rates[0]).toBeUndefined();
  expect(rates[1]).toEqual({ inBitsPerSecond: 0, outBitsPerSecond: 0 });
});
