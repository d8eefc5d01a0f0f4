import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeFolders } from '../../../src/host/linux-files.ts';

test('where no folder can be made, the first one that fails is named', () => {
  expect(() => makeFolders('/proc/qlaunch/vm/0', 0o700)).toThrow(/ENOENT.*'\/proc\/qlaunch'/);
});

test('missing parents are made, those that are there stay as they are', () => {
  const dir = mkdtempSync(join(tmpdir(), 'qlaunch-folders-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  makeFolders(join(dir, 'a/b'), 0o711);
  makeFolders(join(dir, 'a/b/c'), 0o700);
  makeFolders(join(dir, 'a/b/c'), 0o755);
  const modes = ['a', 'a/b', 'a/b/c'].map((name) => statSync(join(dir, name)).mode & 0o777);
  expect(modes).toEqual([0o711, 0o711, 0o700]);
  writeFileSync(join(dir, 'file'), '');
  expect(() => makeFolders(join(dir, 'file/x'), 0o700)).toThrow('ENOTDIR');
  expect(existsSync(join(dir, 'file/x'))).toBe(false);
});
