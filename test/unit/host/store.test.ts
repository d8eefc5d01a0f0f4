import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Store } from '../../../src/host/port.ts';
import { directoryStore, secureDirectory } from '../../../src/host/store.ts';

let root: string;
let directory: string;
let store: Store;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'qlaunch-store-'));
  directory = join(root, 'a', 'journal');
  store = directoryStore(directory);
});
afterEach(() => rmSync(root, { recursive: true }));

test('a file is replaced, read, listed and removed; the directory is ours alone', () => {
  expect([store.list(), store.read('x')]).toEqual([[], undefined]);
  store.replace('x', 'one');
  store.replace('x', 'two');
  expect([store.read('x'), store.list(), readdirSync(directory)]).toEqual(['two', ['x'], ['x']]);
  expect([statSync(directory).mode & 0o777, statSync(join(directory, 'x')).mode & 0o777]).toEqual([
    0o700, 0o600,
  ]);
  store.remove('x');
  store.remove('x');
  expect(readdirSync(directory)).toEqual([]);
});

test('what a kill in the middle of a write left is swept away, and never read', () => {
  store.replace('x', 'one');
  writeFileSync(join(directory, '.x.new'), 'tw');
  writeFileSync(join(directory, '.y.new'), 'on');
  expect([store.list(), store.read('x')]).toEqual([['x'], 'one']);
  store.sweep();
  store.replace('x', 'two');
  expect([readdirSync(directory), store.read('x')]).toEqual([['x'], 'two']);
});

test.each<[string, () => void]>([
  ['a directory that others may write', () => chmodSync(directory, 0o777)],
  ['a directory whose group may write', () => chmodSync(directory, 0o770)],
  ['a parent in which others could swap it', () => chmodSync(join(root, 'a'), 0o777)],
  ['a file that others may write', () => chmodSync(join(directory, 'x'), 0o666)],
  ['a file with a second name', () => linkSync(join(directory, 'x'), join(root, 'y'))],
])('%s is refused', (_what: string, spoil: () => void) => {
  store.replace('x', 'one');
  spoil();
  expect(() => directoryStore(directory).read('x')).toThrow(
    expect.objectContaining({ code: 'QL_STATE_UNSAFE', exit: 3 }),
  );
});

test('a link instead of a file, or of the directory, is not followed', () => {
  store.replace('x', 'one');
  symlinkSync(join(directory, 'x'), join(directory, 'z'));
  expect(() => store.read('z')).toThrow('ELOOP');
  mkdirSync(join(root, 'b'));
  symlinkSync(directory, join(root, 'b', 'journal'));
  expect(() => directoryStore(join(root, 'b', 'journal')).read('x')).toThrow('will not use');
});

test('a name is only a name', () => {
  for (const name of ['../x', '.x', 'a/b', '']) expect(() => store.read(name)).toThrow('not a file name');
});

test('a relative directory is looked at up to the root, and an open one above is named', () => {
  const base = mkdtempSync(join(tmpdir(), 'qlaunch-store-'));
  const before = process.cwd();
  onTestFinished(() => {
    process.chdir(before);
    rmSync(base, { recursive: true });
  });
  process.chdir(base);
  expect(() => secureDirectory('mine')).not.toThrow();
  chmodSync(base, 0o777);
  expect(() => secureDirectory('mine')).toThrow(
    expect.objectContaining({ todo: [expect.stringContaining(`ls -ld ${base};`)] }),
  );
});
