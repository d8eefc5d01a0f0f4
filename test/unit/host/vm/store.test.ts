import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { damagedRecord } from '../../../../src/host/vm/damaged.ts';
import {
  ownerOf,
  readRecord,
  readTail,
  readText,
  removeDir,
  type VmRecord,
  writeRecord,
  writeWhole,
} from '../../../../src/host/vm/store.ts';

const NOBODY = 65_534;

let root: string;
let dir: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vm-store-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  // As the folders above a VM's: for everybody to pass through.
  chmodSync(root, 0o711);
  dir = join(root, 'web');
  mkdirSync(dir, { mode: 0o700 });
});

const record = (more: object = {}): VmRecord => ({
  v: 1,
  name: 'web',
  identity: '/images/web.qcow2',
  uid: process.getuid?.() ?? 0,
  startedAt: '2026-01-01T00:00:00.000Z',
  detached: true,
  argv: ['qemu-system-x86_64', '-nodefaults'],
  socketDir: dir,
  serial: 'socket',
  nics: [
    {
      id: 'net0',
      mode: 'user',
      mac: '52:54:00:00:00:01',
      forwards: [{ proto: 'tcp', address: '127.0.0.1', hostPort: 2222, guestPort: 22 }],
    },
  ],
  disks: ['/images/web.qcow2'],
  ...more,
});

function withForward(more: object): unknown {
  const forward = { proto: 'tcp', address: '0.0.0.0', hostPort: 22, guestPort: 22, ...more };
  return record({ nics: [{ id: 'a', mode: 'nat', mac: '', forwards: [forward] }] });
}

test('what was written is read', () => {
  for (const more of [{}, { vnc: '127.0.0.1:5901' }]) {
    writeRecord(dir, record(more));
    expect(readRecord(dir)).toEqual(record(more));
  }
  expect(readdirSync(dir)).toEqual(['vm.json']);
});

test.each([
  ['almost nothing', { v: 1, name: 'web' }],
  ['null', null],
  ['a list', []],
  ['another version', record({ v: 2 })],
  ['the name of another VM', record({ name: 'db' })],
  ['NICs that are no list', record({ nics: 'net0' })],
  ['a NIC without forwards', record({ nics: [{ id: 'net0', mode: 'user', mac: '' }] })],
  ['a forward of nothing', record({ nics: [{ id: 'a', mode: 'user', mac: '', forwards: [null] }] })],
  ['a forward of what is no address', withForward({ address: '0.0.0.0;touch /tmp/x;#' })],
  ['a forward of another protocol', withForward({ proto: 'tcp$(reboot)' })],
  ['a mode that moves the cursor', record({ nics: [{ id: 'a', mode: '\u001b[2J', mac: '', forwards: [] }] })],
  ['no time', record({ startedAt: 'yesterday' })],
  ['a number as a word of the command', record({ argv: [1] })],
  ['sockets in another folder', record({ socketDir: '/etc' })],
  ['sockets at a relative path', record({ socketDir: 'web' })],
])('a record with %s is none', (_what: string, said: unknown) => {
  writeFileSync(join(dir, 'vm.json'), JSON.stringify(said));
  expect(readRecord(dir)).toBeUndefined();
});

test('a directory whose name is a line for a shell is no VM’s', () => {
  const other = join(root, 'web;reboot');
  mkdirSync(other, { mode: 0o700 });
  writeFileSync(join(other, 'exit'), '0');
  writeRecord(other, record({ name: 'web;reboot', socketDir: other }));
  expect(readRecord(other)).toBeUndefined();
  expect(damagedRecord(other)).toBeUndefined();
});

test('whose VM it is, the directory tells', () => {
  writeRecord(dir, record({ uid: 0 }));
  chownSync(dir, NOBODY, NOBODY);
  expect(readRecord(dir)?.uid).toBe(NOBODY);
  expect(ownerOf(dir)).toBe(NOBODY);
  expect(ownerOf(join(dir, 'vm.json'))).toBeUndefined();
});

test('another user’s sockets are not this VM’s; a socket directory that is gone is no lie', () => {
  const other = join(root, 'sockets', 'web');
  writeRecord(dir, record({ socketDir: other }));
  expect(readRecord(dir)?.socketDir).toBe(other);
  mkdirSync(other, { recursive: true });
  expect(readRecord(dir)?.socketDir).toBe(other);
  chownSync(other, NOBODY, NOBODY);
  expect(readRecord(dir)).toBeUndefined();
});

test('a FIFO, a link, a directory and a huge file are not read, and nobody waits for them', () => {
  const at = (name: string): string => join(dir, name);
  execFileSync('mknod', [at('fifo'), 'p']);
  writeFileSync(at('file'), 'text');
  symlinkSync(at('file'), at('link'));
  mkdirSync(at('directory'));
  writeFileSync(at('huge'), Buffer.alloc(1024 * 1024 + 1));
  expect(['fifo', 'link', 'directory', 'huge', 'none'].map((name) => readText(at(name)))).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(readText(at('file'))).toBe('text');
  expect(readText('/proc/self/cmdline')).toContain('node');
});

test('of a long log the end', () => {
  const log = join(dir, 'qemu.log');
  writeFileSync(log, `${'x'.repeat(2 * 1024 * 1024)}\nqemu: out of memory\n`);
  expect(readTail(log)?.split('\n').slice(1)).toEqual(['qemu: out of memory', '']);
  writeFileSync(log, 'short');
  expect(readTail(log)).toBe('short');
});

test('two writers do not meet in one file', () => {
  const path = join(dir, 'table');
  // What another writer would have under way, had it a fixed name.
  mkdirSync(`${path}.new`);
  writeWhole(path, 'one');
  expect(readFileSync(path, 'utf8')).toBe('one');
});

test('a write that fails leaves nothing behind', () => {
  mkdirSync(join(dir, 'table', 'full'), { recursive: true });
  expect(() => writeWhole(join(dir, 'table'), 'one')).toThrow();
  expect(readdirSync(dir)).toEqual(['table']);
});

test('a user’s directory is emptied with its user’s rights', () => {
  mkdirSync(join(dir, 'mine'));
  writeFileSync(join(dir, 'mine', 'log'), '');
  for (const path of [dir, join(dir, 'mine')]) chownSync(path, NOBODY, NOBODY);
  // As if a folder had been swapped for a way to somebody else's files.
  mkdirSync(join(dir, 'swapped'));
  writeFileSync(join(dir, 'swapped', 'precious'), '');
  expect(() => removeDir(dir)).toThrow(expect.objectContaining({ code: 'QL_STATE_DIR', exit: 4 }));
  expect(existsSync(join(dir, 'swapped', 'precious'))).toBe(true);
  expect(process.geteuid?.()).toBe(process.getuid?.());
  rmSync(join(dir, 'swapped'), { recursive: true });
  // Its parent is root's: the user could not remove the directory itself.
  removeDir(dir);
  removeDir(dir);
  expect(readdirSync(root)).toEqual([]);
});

test('a link in the directory’s place is removed, not what it leads to', () => {
  writeFileSync(join(dir, 'log'), '');
  symlinkSync(dir, join(root, 'link'));
  removeDir(join(root, 'link'));
  expect(readdirSync(root)).toEqual(['web']);
  expect(readdirSync(dir)).toEqual(['log']);
});
