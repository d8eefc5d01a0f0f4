import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { linuxMachine } from '../../../../../src/host/linux.ts';
import {
  checkDirectoryAs,
  checkReadableAs,
  checkWritableAs,
} from '../../../../../src/host/qemu/preflight/paths.ts';

const NOBODY = 65_534;
const tools = {
  host: linuxMachine(),
  runAs: ['setpriv', '--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups', '--'],
};

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'paths-as-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  chmodSync(dir, 0o755);
  mkdirSync(join(dir, 'closed'), { mode: 0o700 });
  mkdirSync(join(dir, 'nobodys'));
  chownSync(join(dir, 'nobodys'), NOBODY, NOBODY);
  writeFileSync(join(dir, 'closed/file'), '');
  writeFileSync(join(dir, 'open'), '', { mode: 0o644 });
  writeFileSync(join(dir, 'secret'), '', { mode: 0o600 });
});

const why = async (finding: Promise<{ why?: readonly string[] } | undefined>): Promise<string | undefined> =>
  (await finding)?.why?.join('\n').replaceAll(dir, 'DIR');

test('what root may read and QEMU’s user may not is found', async () => {
  const read = (name: string): Promise<string | undefined> =>
    why(checkReadableAs(tools, join(dir, name), '--kernel'));
  expect(await read('open')).toBeUndefined();
  expect(await read('secret')).toBe('DIR/secret: Permission denied');
  expect(await read('closed/file')).toContain('Permission denied');
  expect(await read('none')).toContain('No such file or directory');
  expect(await read('nobodys')).toBe('DIR/nobodys is not a file');
});

test('what root may write and QEMU’s user may not is found', async () => {
  const write = (name: string): Promise<string | undefined> =>
    why(checkWritableAs(tools, join(dir, name), '--serial'));
  expect(await write('nobodys/log')).toBeUndefined();
  expect(await write('log')).toBe('DIR: Permission denied');
  expect(await write('open')).toBe('DIR/open: Permission denied');
  expect(await write('open/log')).toBe('DIR/open is not a directory');
  expect(await write('none/log')).toContain('No such file or directory');
});

test('when QEMU runs as we do nothing is run', async () => {
  const here = {
    runAs: [],
    host: {
      run: async () => {
        throw new Error('ran something');
      },
    },
  };
  expect(await checkReadableAs(here, join(dir, 'secret'), '--kernel')).toBeUndefined();
  expect(await checkWritableAs(here, join(dir, 'none/log'), '--serial')).toMatchObject({ code: 'QL_FILE' });
});

test.each([
  ['as ourselves', []],
  ['as QEMU’s user', tools.runAs],
])('a directory is no file, and a file no directory, %s', async (_, runAs) => {
  const asked = { ...tools, runAs };
  const write = (name: string): Promise<string | undefined> =>
    why(checkWritableAs(asked, join(dir, name), '--serial'));
  expect(await write('nobodys/log')).toBeUndefined();
  expect(await write('nobodys')).toBe('DIR/nobodys is a directory');
  expect(await write('open/log')).toBe('DIR/open is not a directory');
  expect(await write('none/log')).toContain('o such file or directory');
  const list = (name: string): Promise<string | undefined> =>
    why(checkDirectoryAs(asked, join(dir, name), '--net tftp'));
  expect(await list('nobodys')).toBeUndefined();
  expect(await list('open')).toBe('DIR/open is not a directory');
  expect(await list('none')).toContain('o such file or directory');
});

test('a directory that QEMU’s user may not look into', async () => {
  expect(await why(checkDirectoryAs(tools, join(dir, 'closed'), '--net tftp'))).toContain(
    'Permission denied',
  );
});
