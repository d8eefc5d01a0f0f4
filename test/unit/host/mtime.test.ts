import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { linuxFiles } from '../../../src/host/linux-files.ts';

test('a file that is put back has its time to the millisecond', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'qlaunch-mtime-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const [path, temp] = [join(dir, 'f'), join(dir, 't')];
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4_102_444_800_000 }), async (mtimeMs) => {
      const file = { content: 'x\n', mode: 0o600, owner, mtimeMs };
      await linuxFiles.place(path, temp, file);
      expect(await linuxFiles.capture(path)).toEqual(file);
    }),
    { examples: [[1795232313540]], numRuns: 200 },
  );
});
