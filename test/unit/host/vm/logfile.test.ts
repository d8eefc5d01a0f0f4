import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { readFrom } from '../../../../src/host/vm/logfile.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'logfile-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
});

test('a growing file is read piece by piece', () => {
  const log = join(dir, 'log');
  let said = '';
  const read = (offset: number): number =>
    readFrom(log, offset, (chunk) => {
      said += Buffer.from(chunk).toString();
    });
  expect(read(0)).toBe(0);
  writeFileSync(log, 'one ');
  const next = read(0);
  appendFileSync(log, 'two');
  expect([read(next), said]).toEqual([7, 'one two']);
});

test('a link and a FIFO are refused, and nobody waits for them', () => {
  writeFileSync(join(dir, 'secret'), 'secret');
  symlinkSync('secret', join(dir, 'link'));
  execFileSync('mknod', [join(dir, 'fifo'), 'p']);
  for (const name of ['link', 'fifo'])
    expect(() => readFrom(join(dir, name), 0, () => undefined)).toThrow(
      expect.objectContaining({ code: 'QL_LOG', exit: 3 }),
    );
});
