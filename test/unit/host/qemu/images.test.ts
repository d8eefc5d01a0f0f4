import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ImageTools, recordFormat, resolveDisk } from '../../../../src/host/qemu/images.ts';
import { qcow2Image } from '../../plan/disk/qcow2-image.ts';

let dir: string;
let state: string;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'images-')));
  state = join(dir, 'state');
  mkdirSync(join(dir, 'vm'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

/** raw and qcow2 need no program: one that is run fails the test. */
const tools: ImageTools = {
  host: {
    run: async (argv) => {
      throw new Error(`ran ${argv.join(' ')}`);
    },
  },
  qemuImg: '/usr/bin/qemu-img',
  runAs: [],
};

const image = (name: string, content: Uint8Array): string => {
  const file = join(dir, 'vm', name);
  writeFileSync(file, content);
  return file;
};
const resolve = (file: string, more: object = {}): ReturnType<typeof resolveDisk> =>
  resolveDisk(tools, { file, readOnly: false, ...more }, state);

test('raw and qcow2 are told apart without starting anything, links are resolved', async () => {
  const raw = image('a.img', Buffer.alloc(512));
  const link = join(dir, 'link');
  symlinkSync(raw, link);
  expect(await resolve(link)).toMatchObject({ file: raw, format: 'raw', record: true, notes: [] });
  expect(await resolve(image('a.qcow2', qcow2Image()))).toMatchObject({ format: 'qcow2' });
});

test('once recorded as raw, a header written by the guest is refused; a new file is a new disk', async () => {
  const file = image('a.img', Buffer.alloc(512));
  const first = await resolve(file);
  if ('code' in first) throw new Error(first.what);
  recordFormat(state, first.file, first.inode, first.format);
  expect(await resolve(file)).toMatchObject({ format: 'raw', record: false });
  writeFileSync(file, qcow2Image({ backing: '/etc/shadow' }));
  expect(await resolve(file)).toMatchObject({ code: 'QL_DISK_FORMAT', what: `will not use ${file}` });
  // The old file keeps its inode until the new one has its own.
  const fresh = image('fresh', qcow2Image());
  rmSync(file);
  symlinkSync(fresh, file);
  expect(await resolve(file)).toMatchObject({ format: 'qcow2', record: true });
});

test.each([
  ['nothing there', 'none.qcow2', 'QL_DISK_MISSING'],
  ['a directory', '.', 'QL_DISK_KIND'],
  ['no disk', '/dev/null', 'QL_DISK_KIND'],
])('%s', async (_, name, code) => {
  expect(await resolve(name.startsWith('/') ? name : join(dir, 'vm', name))).toMatchObject({ code });
});

test('a missing disk says how to make it, unless an empty one would not help', async () => {
  const file = join(dir, 'vm', 'new.qcow2');
  expect(await resolve(file)).toMatchObject({ todo: [`qlaunch disk create ${file} 8G`] });
  expect(await resolve(`${file} 2`)).toMatchObject({ todo: [`qlaunch disk create '${file} 2' 8G`] });
  const look = { todo: [`ls ${join(dir, 'vm')}`] };
  expect(await resolve(join(dir, 'vm', 'debian.iso'))).toMatchObject(look);
  expect(await resolve(file, { readOnly: true })).toMatchObject(look);
  expect(await resolve(file, { format: 'vmdk' })).toMatchObject(look);
});

describe('backing files', () => {
  test('beside the image: followed, to the end of the chain', async () => {
    image('base.img', Buffer.alloc(512));
    image('middle.qcow2', qcow2Image({ backing: 'base.img', backingFormat: 'raw' }));
    const top = image('top.qcow2', qcow2Image({ backing: 'middle.qcow2', backingFormat: 'qcow2' }));
    expect(await resolve(top)).toMatchObject({ format: 'qcow2' });
  });

  test('elsewhere: refused with the words that allow it, then allowed by name', async () => {
    const secret = join(dir, 'secret');
    writeFileSync(secret, 'x');
    const top = image('top.qcow2', qcow2Image({ backing: secret, backingFormat: 'raw' }));
    expect(await resolve(top)).toMatchObject({
      code: 'QL_DISK_BACKING',
      what: `${top} refers to ${secret}`,
      todo: expect.arrayContaining([expect.stringContaining(`--disk ${top},backing=${secret}`)]),
    });
    expect(await resolve(top, { allow: [secret] })).toMatchObject({ format: 'qcow2' });
  });

  test('a link beside the image that leads elsewhere, and a data file elsewhere, are refused too', async () => {
    writeFileSync(join(dir, 'secret'), 'x');
    symlinkSync(join(dir, 'secret'), join(dir, 'vm', 'base'));
    const linked = image('top.qcow2', qcow2Image({ backing: 'base', backingFormat: 'raw' }));
    expect(await resolve(linked)).toMatchObject({ code: 'QL_DISK_BACKING' });
    const data = image('data.qcow2', qcow2Image({ dataFile: join(dir, 'secret') }));
    expect(await resolve(data)).toMatchObject({
      code: 'QL_DISK_BACKING',
      why: [expect.stringContaining('data file')],
    });
  });

  test('deep in the chain, the rule is the same', async () => {
    image('middle.qcow2', qcow2Image({ backing: '/etc/hostname', backingFormat: 'raw' }));
    const top = image('top.qcow2', qcow2Image({ backing: 'middle.qcow2' }));
    expect(await resolve(top)).toMatchObject({
      code: 'QL_DISK_BACKING',
      what: `${top} refers to /etc/hostname`,
    });
  });

  test('a network driver is never followed unasked', async () => {
    const top = image('top.qcow2', qcow2Image({ backing: 'nbd://host/secret' }));
    expect(await resolve(top)).toMatchObject({ code: 'QL_DISK_BACKING' });
    expect(await resolve(top, { allow: ['nbd://host/secret'] })).toMatchObject({ format: 'qcow2' });
  });

  test('one that is not there, one that is damaged, one that comes back to itself', async () => {
    const gone = image('a.qcow2', qcow2Image({ backing: 'gone.img' }));
    expect(await resolve(gone)).toMatchObject({
      code: 'QL_DISK_BACKING',
      why: [expect.stringContaining('ENOENT')],
    });
    const loop = image('loop.qcow2', qcow2Image({ backing: 'loop.qcow2' }));
    expect(await resolve(loop)).toMatchObject({ code: 'QL_DISK_DAMAGED' });
    const cut = image('cut.qcow2', qcow2Image().subarray(0, 90));
    expect(await resolve(cut)).toMatchObject({ code: 'QL_DISK_DAMAGED', why: ['the header is cut off'] });
  });
});
