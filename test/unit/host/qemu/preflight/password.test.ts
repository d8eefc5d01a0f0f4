import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { linuxMachine } from '../../../../../src/host/linux.ts';
import { checkPassword } from '../../../../../src/host/qemu/preflight/password.ts';

const NOBODY = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--'];

function file(content: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'pass word-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  chmodSync(dir, 0o755);
  const path = join(dir, 'pw');
  writeFileSync(path, content, { mode: 0o644 });
  return path;
}

describe.each([
  ['as ourselves', []],
  ['as another user', NOBODY],
])('the VNC password, read %s', (_, runAs) => {
  const tools = { host: linuxMachine(), runAs };
  const NOTHING = { findings: [], notes: [] };

  test('is neither empty nor longer than what counts', async () => {
    expect(await checkPassword(tools, undefined)).toEqual(NOTHING);
    expect(await checkPassword(tools, file('12345678\n'))).toEqual(NOTHING);
    const long = file('123456789');
    expect((await checkPassword(tools, long)).notes).toEqual([
      `VNC looks at the first 8 characters of a password; ${long} has 9`,
    ]);
    expect(await checkPassword(tools, '/no/such/file')).toEqual(NOTHING);
  });

  test.each(['', '\n'])('%j is refused, and the cure makes a good one', async (content) => {
    const path = file(content);
    const [finding] = (await checkPassword(tools, path)).findings;
    expect(finding).toMatchObject({ code: 'QL_VNC_PASSWORD' });
    execFileSync('sh', ['-c', (finding?.todo?.[0] ?? '').replace(/ {4}.*/, '')]);
    expect(await checkPassword(tools, path)).toEqual(NOTHING);
  });

  test('a FIFO is not waited for', async () => {
    const path = `${file('')}.fifo`;
    execFileSync('mkfifo', ['-m', '644', path]);
    expect(await checkPassword(tools, path)).toEqual(NOTHING);
  });
});
