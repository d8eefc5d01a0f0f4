import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linuxMachine } from '../../../../../src/host/linux.ts';
import { checkScriptAs } from '../../../../../src/host/qemu/preflight/script.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'qlaunch-test-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

async function why(content: string | Buffer, mode = 0o755): Promise<string | undefined> {
  const path = join(dir, 'if, up');
  writeFileSync(path, content);
  chmodSync(path, mode);
  const finding = await checkScriptAs({ host: linuxMachine(), runAs: [] }, path, 'script of --net');
  return finding?.why?.[0]?.replace(path, 'SCRIPT');
}

test.each([
  ['#!/bin/sh\nexit 0\n', undefined],
  ['#! /usr/bin/env sh -e\n', undefined],
  ['echo without a first line\n', 'SCRIPT does not begin with #!'],
  ['', 'SCRIPT does not begin with #!'],
  ['#!/bin/sh\r\nexit 0\r\n', 'SCRIPT has lines that end in CR LF'],
  ['#!/no/such/shell\n', 'SCRIPT: there is no interpreter /no/such/shell'],
])('%j', async (content, expected) => {
  expect(await why(content)).toBe(expected);
});

test('a program is as good as a script', async () => {
  expect(await why(Buffer.from('\x7fELF\x02\x01', 'latin1'))).toBeUndefined();
});

test('what is not executable, not a file or not there is told so', async () => {
  expect(await why('#!/bin/sh\n', 0o644)).toBe('SCRIPT is not executable');
  const look = (path: string): ReturnType<typeof checkScriptAs> =>
    checkScriptAs({ host: linuxMachine(), runAs: [] }, path, 'script of --net');
  expect((await look(dir))?.why).toEqual([`${dir} is not a file`]);
  expect((await look(join(dir, 'none')))?.why?.[0]).toContain('No such file');
});
