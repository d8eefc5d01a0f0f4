import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { registerDisk } from '../../src/cli/disk.ts';
import { linuxMachine } from '../../src/host/linux.ts';
import { type ImageTools, type ResolvedDisk, recordFormat, resolveDisk } from '../../src/host/qemu/images.ts';
import { probeMagic } from '../../src/plan/disk/magic.ts';
import { parseQcow2 } from '../../src/plan/disk/qcow2.ts';
import { planCreate } from '../../src/run/disk/create.ts';
import { connectQmp } from '../../src/run/qmp/connect.ts';
import { scratchDir } from '../tiers/guest.ts';
import { qemus } from '../tiers/qemus.ts';

const QEMU_IMG = '/usr/bin/qemu-img';
const tools: ImageTools = { host: linuxMachine(), qemuImg: QEMU_IMG, runAs: [] };

let dir: string;
let state: string;
beforeEach(() => {
  dir = realpathSync(scratchDir());
  state = join(dir, 'state');
  vi.stubEnv('QLAUNCH_STATE_DIR', state);
  vi.stubEnv('SUDO_UID', '');
});

const img = (...args: string[]): string => execFileSync(QEMU_IMG, args, { cwd: dir, encoding: 'utf8' });
const at = (name: string): string => join(dir, name);
const resolve = (name: string, more: object = {}): ReturnType<typeof resolveDisk> =>
  resolveDisk(tools, { file: at(name), readOnly: false, ...more }, state);

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly code?: string;
}

/** The command as qlaunch runs it; an error's code instead of its text. */
async function disk(...args: string[]): Promise<Ran> {
  let status = -1;
  let out = '';
  const written = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    out += chunk;
    return true;
  });
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  registerDisk(program, (code) => {
    status = code;
  });
  try {
    await program.parseAsync(['disk', ...args], { from: 'user' });
    return { status, out };
  } catch (error) {
    return { status, out, code: String((error as { code?: unknown }).code) };
  } finally {
    written.mockRestore();
  }
}

describe('disk create', () => {
  test('a sparse raw disk is what dd seek= makes', async () => {
    expect(await disk('create', at('a.img'), '64M', '--format', 'raw')).toMatchObject({ status: 0 });
    execFileSync('dd', ['if=/dev/zero', `of=${at('dd.img')}`, 'bs=1M', 'seek=63', 'count=1'], {
      stdio: 'ignore',
    });
    expect(statSync(at('a.img')).size).toBe(statSync(at('dd.img')).size);
    expect(statSync(at('a.img')).blocks).toBeLessThan(statSync(at('dd.img')).blocks);
    expect(readFileSync(at('a.img')).equals(readFileSync(at('dd.img')))).toBe(true);
  });

  test('a qcow2 disk, and its format is known from then on', async () => {
    expect(await disk('create', at('a.qcow2'), '8G')).toMatchObject({
      status: 0,
      out: `made ${at('a.qcow2')} (qcow2, 8 GiB (8589934592 bytes))\n`,
    });
    expect(JSON.parse(img('info', '--output=json', 'a.qcow2'))).toMatchObject({
      format: 'qcow2',
      'virtual-size': 8 * 1024 ** 3,
    });
    expect(await resolve('a.qcow2')).toMatchObject({ format: 'qcow2', record: false });
  });

  test('an ending that names the format is believed, and the format is said', async () => {
    expect(await disk('create', at('c.raw'), '1M')).toMatchObject({
      out: `made ${at('c.raw')} (raw, 1 MiB (1048576 bytes))\n`,
    });
    expect(probeMagic(readFileSync(at('c.raw')))).toBe('raw');
    expect((await disk('create', at('c.img'), '1M')).out).toContain('(qcow2,');
    expect((await disk('create', at('d.raw'), '1M', '--format', 'qcow2')).out).toContain('(qcow2,');
    expect((await disk('create', at('top.raw'), '-b', at('c.img'))).out).toContain('(qcow2)');
    expect(await disk('create', at('top'), '-b', at('c.img'), '-f', 'raw')).toMatchObject({
      code: 'QL_USAGE',
    });
  });

  test('a directory that may not be looked into proves nothing about what is in it', async () => {
    mkdirSync(at('closed'), { mode: 0o700 });
    chmodSync(dir, 0o755);
    const runAs = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--'];
    const nobody = { ...tools, qemuImg: QEMU_IMG, runAs, stateDir: state };
    const wish = { file: at('closed/a.qcow2'), format: 'qcow2', sizeBytes: 2 ** 20, force: false } as const;
    await expect(planCreate(nobody, wish)).rejects.toMatchObject({
      code: 'QL_DISK_CREATE',
      exit: 4,
      why: [expect.stringContaining('Permission denied')],
      todo: [`namei -l ${at('closed')}`],
    });
  });

  test('what is there is not overwritten, not even an empty file, a link or a raw device', async () => {
    writeFileSync(at('a'), 'precious');
    symlinkSync('a', at('link'));
    symlinkSync('nowhere', at('dangling'));
    for (const name of ['a', 'link', 'dangling'])
      expect(await disk('create', at(name), '1M')).toMatchObject({ code: 'QL_DISK_EXISTS' });
    expect(readFileSync(at('a'), 'utf8')).toBe('precious');
    expect(await disk('create', '/dev/null', '1M', '--force')).toMatchObject({ code: 'QL_DISK_KIND' });
    expect(await disk('create', at('a'), '1M', '--force')).toMatchObject({ status: 0 });
    expect(probeMagic(readFileSync(at('a')))).toBe('qcow2');
  });

  test('--dry-run prints the very line that is run, and makes nothing', async () => {
    const name = "it's a disk.img";
    const { out } = await disk('create', at(name), '1M', '--format', 'raw', '--dry-run');
    expect(() => statSync(at(name))).toThrow('ENOENT');
    execFileSync('sh', ['-c', out]);
    expect(statSync(at(name)).size).toBe(1024 ** 2);
  });

  test('nothing is left when qemu-img refuses', async () => {
    img('create', '-q', '-f', 'qcow2', 'base.qcow2', '1M');
    // The size of the L1 table, which only qemu-img looks at.
    const damaged = readFileSync(at('base.qcow2'));
    damaged.writeUInt32BE(0xffffffff, 36);
    writeFileSync(at('base.qcow2'), damaged);
    expect(await disk('create', at('a.qcow2'), '-b', at('base.qcow2'))).toMatchObject({
      code: 'QL_QEMU_IMG',
    });
    expect(() => statSync(at('a.qcow2'))).toThrow('ENOENT');
    expect(await disk('create', join(dir, 'no', 'a.qcow2'), '1M')).toMatchObject({ code: 'QL_DISK_CREATE' });
  });

  test.each([['eight'], ['8'], ['0'], ['-1G']])('"%s" is no size', async (size) => {
    expect((await disk('create', '--format=raw', '--', at('a.img'), size)).code).toBe('QL_USAGE');
    expect(() => statSync(at('a.img'))).toThrow('ENOENT');
  });
});

describe('a backing file', () => {
  test('beside it: named relatively, with its format, as large as it is', async () => {
    img('create', '-q', '-f', 'qcow2', 'base.qcow2', '16M');
    expect(await disk('create', at('top.qcow2'), '--backing', at('base.qcow2'))).toMatchObject({ status: 0 });
    expect(JSON.parse(img('info', '--output=json', 'top.qcow2'))).toMatchObject({
      'virtual-size': 16 * 1024 ** 2,
      'backing-filename': 'base.qcow2',
      'backing-filename-format': 'qcow2',
    });
    expect(await resolve('top.qcow2')).toMatchObject({ format: 'qcow2' });
  });

  test('elsewhere: absolute, and allowed because it was named here', async () => {
    mkdirSync(at('vm'));
    img('create', '-q', '-f', 'raw', 'base.img', '1M');
    expect(await disk('create', at('vm/top.qcow2'), '-b', `${at('base.img')},raw`)).toMatchObject({
      status: 0,
    });
    expect(await resolve('vm/top.qcow2')).toMatchObject({ format: 'qcow2' });
    // The same image made by somebody else is not trusted.
    img('create', '-q', '-f', 'qcow2', '-b', at('base.img'), '-F', 'raw', 'vm/foreign.qcow2');
    expect(await resolve('vm/foreign.qcow2')).toMatchObject({ code: 'QL_DISK_BACKING' });
    expect(await resolve('vm/foreign.qcow2', { allow: [at('base.img')] })).toMatchObject({ format: 'qcow2' });
  });

  test('a wrong format, a missing one, itself', async () => {
    img('create', '-q', '-f', 'raw', 'base.img', '1M');
    const made = (backing: string, ...more: string[]): Promise<Ran> =>
      disk('create', at('top.qcow2'), '-b', backing, ...more);
    expect(await made(`${at('base.img')},qcow2`)).toMatchObject({ code: 'QL_DISK_FORMAT' });
    expect(await made(at('none.qcow2'))).toMatchObject({ code: 'QL_DISK_MISSING' });
    img('create', '-q', '-f', 'qcow2', 'top.qcow2', '1M');
    expect(await made(at('top.qcow2'), '--force')).toMatchObject({ code: 'QL_DISK_BACKING' });
  });
});

describe('disk resize and info', () => {
  const size = (name: string): number => JSON.parse(img('info', '--output=json', name))['virtual-size'];

  test('larger, by as much, and smaller only when asked for', async () => {
    await disk('create', at('a.qcow2'), '8M');
    expect(await disk('resize', at('a.qcow2'), '16M')).toMatchObject({
      out: `${at('a.qcow2')}: 8 MiB (8388608 bytes) → 16 MiB (16777216 bytes)\n`,
    });
    await disk('resize', at('a.qcow2'), '+4M');
    expect(size('a.qcow2')).toBe(20 * 1024 ** 2);
    expect(await disk('resize', at('a.qcow2'), '8M')).toMatchObject({ code: 'QL_DISK_SHRINK' });
    expect(size('a.qcow2')).toBe(20 * 1024 ** 2);
    expect(await disk('resize', at('a.qcow2'), '8M', '--shrink')).toMatchObject({ status: 0 });
    expect(size('a.qcow2')).toBe(8 * 1024 ** 2);
  });

  test('a raw disk with a guest’s qcow2 header stays raw', async () => {
    await disk('create', at('a.img'), '1M', '--format', 'raw');
    img('create', '-q', '-f', 'qcow2', 'header.qcow2', '1G');
    execFileSync(
      'dd',
      [`if=${at('header.qcow2')}`, `of=${at('a.img')}`, 'bs=64k', 'count=1', 'conv=notrunc'],
      { stdio: 'ignore' },
    );
    expect(await disk('resize', at('a.img'), '2M')).toMatchObject({ code: 'QL_DISK_FORMAT' });
    expect(await disk('resize', at('a.img'), '2M', '--format', 'raw')).toMatchObject({ status: 0 });
    expect(statSync(at('a.img')).size).toBe(2 * 1024 ** 2);
    const { out } = await disk('info', at('a.img'), '--json');
    expect(JSON.parse(out)).toMatchObject({
      format: 'raw',
      recorded: 'raw',
      beginsLike: 'qcow2',
      virtualBytes: 2 * 1024 ** 2,
    });
  });

  test('info for people', async () => {
    await disk('create', at('base.qcow2'), '1G');
    await disk('create', at('a.qcow2'), '-b', at('base.qcow2'));
    expect((await disk('info', at('a.qcow2'))).out.split('\n').slice(0, 3)).toEqual([
      `file        ${at('a.qcow2')}`,
      'format      qcow2 (as recorded)',
      'size        1 GiB (1073741824 bytes)',
    ]);
    expect((await disk('info', at('a.qcow2'))).out).toContain('backing     base.qcow2 (qcow2)');
    expect(await disk('info', at('none'))).toMatchObject({ code: 'QL_DISK_MISSING' });
  });
});

describe('our reading of images agrees with qemu-img', () => {
  test.each([
    ['qcow2', []],
    ['qcow2', ['-o', 'compat=0.10']],
    ['qcow2', ['-o', 'cluster_size=512']],
    ['qcow2', ['-b', 'base.img', '-F', 'raw']],
    ['qcow2', ['-b', 'base.img', '-F', 'raw', '-o', 'compat=0.10,cluster_size=512']],
    ['qcow2', ['-o', 'data_file=data.raw,data_file_raw=on']],
  ])('%s %j', (format, more) => {
    img('create', '-q', '-f', 'raw', 'base.img', '3M');
    img('create', '-q', '-f', format, ...more, 'a', '3M');
    const said = JSON.parse(img('info', '--output=json', 'a'));
    const head = parseQcow2(readFileSync(at('a')).subarray(0, 65536));
    if (typeof head === 'string') throw new Error(head);
    expect(head.virtualBytes).toBe(said['virtual-size']);
    expect(head.backing).toBe(said['backing-filename']);
    expect(head.dataFile).toBe(said['format-specific'].data['data-file']);
    expect(head.backingFormat).toBe(said['backing-filename-format']);
  });

  test.each(['qcow2', 'raw', 'vmdk', 'vdi', 'vhdx', 'vpc'])('%s is recognised, and used', async (format) => {
    img('create', '-q', '-f', format, 'a', '4M');
    expect(await resolve('a')).toMatchObject({ format });
  });

  test.each([
    ['qed', []],
    ['qcow', []],
    ['parallels', []],
    ['vmdk', ['-o', 'subformat=monolithicFlat']],
  ])('%s %j', async (format, more) => {
    img('create', '-q', '-f', format, ...more, 'a', '4M');
    if (format === 'vmdk') expect(await resolve('a')).toMatchObject({ format: 'vmdk' });
    else expect(await resolve('a')).toMatchObject({ code: 'QL_DISK_FORMAT' });
  });

  test('a VMDK whose data are elsewhere is refused like a backing file', async () => {
    img('create', '-q', '-f', 'vmdk', '-o', 'subformat=monolithicFlat', 'a.vmdk', '4M');
    mkdirSync(at('vm'));
    writeFileSync(
      at('vm/a.vmdk'),
      readFileSync(at('a.vmdk'), 'utf8').replace('"a-flat.vmdk"', `"${at('a-flat.vmdk')}"`),
    );
    expect(await resolve('vm/a.vmdk')).toMatchObject({ code: 'QL_DISK_BACKING' });
  });
});

describe('as another user', () => {
  // Root without its rights to override file modes; a real other user may not exist in this sandbox.
  const runAs = ['setpriv', '--bounding-set', '-all', '--inh-caps', '-all', '--'];
  const asUser = (name: string, readOnly = false): ReturnType<typeof resolveDisk> =>
    resolveDisk({ ...tools, runAs }, { file: at(name), readOnly }, state);

  test('an image is looked at with that user’s rights', async () => {
    img('create', '-q', '-f', 'qcow2', 'a.qcow2', '1M');
    symlinkSync('a.qcow2', at('link'));
    expect(await asUser('link')).toMatchObject({
      file: at('a.qcow2'),
      format: 'qcow2',
      inode: statSync(at('a.qcow2')).ino,
    });
    chmodSync(at('a.qcow2'), 0o444);
    expect(await asUser('a.qcow2')).toMatchObject({ code: 'QL_DISK_READONLY' });
    expect(await asUser('a.qcow2', true)).toMatchObject({ format: 'qcow2' });
    chmodSync(at('a.qcow2'), 0);
    expect(await asUser('a.qcow2')).toMatchObject({ code: 'QL_DISK_UNREADABLE' });
    expect(await asUser('none')).toMatchObject({ code: 'QL_DISK_MISSING' });
    expect(await asUser('.')).toMatchObject({ code: 'QL_DISK_KIND' });
  });
});

describe.each(qemus)('in use by QEMU $label', ({ binary }) => {
  /** Resolves when QEMU has the image. */
  async function use(name: string, readOnly: 'on' | 'off'): Promise<number | undefined> {
    const args = [
      '-machine',
      'q35',
      '-accel',
      'tcg',
      '-m',
      '16',
      '-nodefaults',
      '-display',
      'none',
      '-S',
      '-name',
      'guest=web',
    ];
    const drive = `driver=qcow2,node-name=d,read-only=${readOnly},file.driver=file,file.filename=${at(name)}`;
    const monitor = ['-qmp', `unix:${at('qmp')},server=on,wait=off`];
    const child = spawn(
      binary,
      [...args, '-blockdev', drive, '-device', 'virtio-blk-pci,drive=d', ...monitor],
      { stdio: 'ignore' },
    );
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    (await connectQmp(at('qmp'), { deadlineMs: 30_000 })).close();
    return child.pid;
  }

  test('a writer is named, with its process, and keeps everybody out', async () => {
    img('create', '-q', '-f', 'qcow2', 'a.qcow2', '1M');
    const pid = await use('a.qcow2', 'off');
    expect(await resolve('a.qcow2')).toMatchObject({
      code: 'QL_DISK_IN_USE',
      why: [expect.stringMatching(new RegExp(`^VM web, process ${pid} `))],
      // It is called web, but qlaunch did not start it.
      todo: [`fuser -v ${at('a.qcow2')}`],
    });
    expect(await resolve('a.qcow2', { readOnly: true })).toMatchObject({ code: 'QL_DISK_IN_USE' });
    expect(await disk('create', at('a.qcow2'), '1M', '--force')).toMatchObject({ code: 'QL_DISK_IN_USE' });
    expect(await disk('resize', at('a.qcow2'), '2M')).toMatchObject({ code: 'QL_DISK_IN_USE' });
    expect(JSON.parse((await disk('info', at('a.qcow2'), '--json')).out)).toMatchObject({
      usedBy: { vm: 'web', pid },
    });
  });

  test('a reader lets readers in, and lets an overlay be used', async () => {
    img('create', '-q', '-f', 'qcow2', 'a.qcow2', '1M');
    img('create', '-q', '-f', 'qcow2', '-b', 'a.qcow2', '-F', 'qcow2', 'top.qcow2');
    await use('a.qcow2', 'on');
    expect(await resolve('a.qcow2', { readOnly: true })).toMatchObject({ format: 'qcow2' });
    expect(await resolve('top.qcow2')).toMatchObject({ format: 'qcow2' });
    const own = `qlaunch disk create ${at('a-2.qcow2')} --backing ${at('a.qcow2')}`;
    expect(await resolve('a.qcow2')).toMatchObject({
      code: 'QL_DISK_IN_USE',
      todo: expect.arrayContaining([expect.stringMatching(new RegExp(`^${own} `))]),
    });
    expect(await disk(...own.split(' ').slice(2))).toMatchObject({ status: 0 });
    expect(await resolve('a-2.qcow2')).toMatchObject({ format: 'qcow2' });
  });

  test('an overlay whose base is written to is refused', async () => {
    img('create', '-q', '-f', 'qcow2', 'a.qcow2', '1M');
    img('create', '-q', '-f', 'qcow2', '-b', 'a.qcow2', '-F', 'qcow2', 'top.qcow2');
    await use('a.qcow2', 'off');
    expect(await resolve('top.qcow2')).toMatchObject({
      code: 'QL_DISK_IN_USE',
      what: expect.stringContaining('builds on'),
    });
  });
});

test('the record follows the image, not the name', async () => {
  img('create', '-q', '-f', 'raw', 'a', '1M');
  const first = (await resolve('a')) as ResolvedDisk;
  recordFormat(state, first.file, first.inode, first.format);
  expect(await resolve('a')).toMatchObject({ format: 'raw', record: false });
  img('create', '-q', '-f', 'qcow2', 'b', '1M');
  execFileSync('mv', [at('b'), at('a')]);
  expect(await resolve('a')).toMatchObject({ format: 'qcow2', record: true });
});
