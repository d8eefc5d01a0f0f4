import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { holdLock } from '../../../../src/host/flock.ts';
import { removeLitter } from '../../../../src/run/vm/litter.ts';

const uid = process.getuid?.() ?? 0;
let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'litter-'));
  onTestFinished(() => rmSync(base, { recursive: true }));
});

/** A directory that was left two minutes ago. */
function left(...words: readonly string[]): string {
  const dir = join(base, ...words);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  age(dir);
  return dir;
}
function age(dir: string): void {
  const then = new Date(Date.now() - 120_000);
  utimesSync(dir, then, then);
}
const sweep = (kept: Parameters<typeof removeLitter>[1] = []): Promise<readonly string[]> => {
  const at = (name: string): { dir: string; uid: number }[] => [{ dir: join(base, name), uid }];
  return removeLitter({ vms: at('vm'), sockets: at('sockets') }, kept);
};

test('a directory without a VM goes; a young one, one with a record, one that is locked stay', async () => {
  const gone = left('vm', 'gone');
  mkdirSync(join(base, 'vm/young'));
  for (const name of ['vm.json', 'qemu.log']) writeFileSync(join(left('vm', name), name), '');
  age(join(base, 'vm/vm.json'));
  age(join(base, 'vm/qemu.log'));
  const lock = await holdLock(join(left('vm', 'starting'), 'lock'), {
    what: 'a start',
    waitMs: 0,
    dir: 'private',
  });
  onTestFinished(() => lock.release());
  age(join(base, 'vm/starting'));
  left('vm', 'journal');
  expect(await sweep()).toEqual([gone, join(base, 'vm/qemu.log')]);
  for (const name of ['young', 'vm.json', 'starting', 'journal'])
    expect(existsSync(join(base, 'vm', name))).toBe(true);
  expect(existsSync(gone)).toBe(false);
});

test('a directory of sockets goes, unless a VM or a process has it', async () => {
  const gone = left('sockets/gone');
  const known = left('sockets/known');
  const used = left('sockets/us,ed');
  const path = `path=${used.replaceAll(',', ',,')}/command.sock`;
  const qemu = spawn('sh', ['-c', 'read end', 'sh', path], { stdio: ['pipe', 'ignore', 'ignore'] });
  onTestFinished(() => void qemu.kill());
  const vm = { dir: '', state: 'ended', record: { socketDir: known } };
  expect(await sweep([vm as never])).toEqual([gone]);
  expect([gone, known, used].map((dir) => existsSync(dir))).toEqual([false, true, true]);
});

/** A process that listens in `dir`, and whose arguments say nothing of it. */
async function listenIn(dir: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-'], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const path = JSON.stringify(join(dir, 'command.sock'));
  child.stdin.end(`require('node:net').createServer().listen(${path}, () => console.log('there'))`);
  await once(child.stdout, 'data');
  age(dir);
  return child;
}

test('nor while somebody answers whom we can not see, as in another pid namespace', async () => {
  const [gone, used] = [left('sockets/gone'), left('sockets/used')];
  const killed = await listenIn(gone);
  await listenIn(used);
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  expect(await sweep()).toEqual([gone]);
  expect(existsSync(used)).toBe(true);
});
