import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { imageHolder } from '../../../../../src/host/qemu/image/holder.ts';
import { isHead, openImage } from '../../../../../src/host/qemu/image/open.ts';

const tools = {
  host: { run: () => Promise.reject(new Error('nothing is run')) },
  qemuImg: undefined,
  runAs: [],
};

test('a lock on another file system’s inode of that number is not held by who merely reads the image', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'holder-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const file = join(dir, 'a.qcow2');
  writeFileSync(file, 'x');
  const fd = openSync(file, 'r');
  const reader = spawn('sleep', ['60'], { stdio: [fd, 'ignore', 'ignore'] });
  closeSync(fd);
  onTestFinished(async () => {
    reader.kill('SIGKILL');
    await once(reader, 'exit');
  });
  const head = await openImage(tools, file);
  if (!isHead(head)) throw new Error(head.words);
  const lock = (device: string): Promise<string> =>
    Promise.resolve(`1: OFDLCK ADVISORY  READ -1 ${device}:${head.inode} 100 101\n`);
  expect(await imageHolder(head, false, lock('fff:fffff'))).toEqual({
    held: 'writes',
    ours: false,
    certain: false,
  });
  expect(await imageHolder(head, false, Promise.resolve(''))).toBe(undefined);
});
