import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { probeMagic } from '../../../../src/plan/disk/magic.ts';
import { parseQcow2 } from '../../../../src/plan/disk/qcow2.ts';
import { qcow2Image } from './qcow2-image.ts';

describe('qcow2 header', () => {
  test('a plain image refers to nothing', () => {
    expect(parseQcow2(qcow2Image())).toEqual({ version: 3, virtualBytes: 1024 ** 3, encrypted: false });
  });

  test('backing file, its format and the data file', () => {
    const names = { backing: 'base é.qcow2', backingFormat: 'qcow2', dataFile: 'data.raw' };
    expect(parseQcow2(qcow2Image(names))).toMatchObject(names);
    expect(parseQcow2(qcow2Image({ version: 2, backing: '/a/b' }))).toEqual({
      version: 2,
      virtualBytes: 1024 ** 3,
      backing: '/a/b',
      encrypted: false,
    });
  });

  test('a name outside the header is an error, not a read past the end', () => {
    const head = qcow2Image({ backing: 'base' });
    head.writeBigUInt64BE(0xffff_ffff_ffff_fff0n, 8);
    expect(parseQcow2(head)).toBe('the backing file name is outside the header');
    head.writeBigUInt64BE(1020n, 8);
    head.writeUInt32BE(5, 16);
    expect(parseQcow2(head)).toBe('the backing file name is outside the header');
  });

  test('no bytes make it throw', () => {
    return fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(71), (rest, kept) => {
        const head = Buffer.concat([qcow2Image({ backing: 'b' }).subarray(0, kept), rest]);
        expect(() => parseQcow2(head)).not.toThrow();
      }),
    );
  });
});

test.each([
  ['qcow2', qcow2Image()],
  ['qcow2', qcow2Image({ version: 2 })],
  ['other', qcow2Image({ version: 1 })],
  ['vmdk', Buffer.from('KDMV\x01\0\0\0')],
  ['vmdk', Buffer.from('# Disk DescriptorFile\nversion=1\nCID=1\n')],
  ['raw', Buffer.from('# Disk DescriptorFile\nsomething=1\n')],
  ['vdi', Buffer.concat([Buffer.alloc(0x40), Buffer.from('7f10dabe', 'hex')])],
  ['vhdx', Buffer.from('vhdxfile')],
  ['vpc', Buffer.from('conectix')],
  ['other', Buffer.from('LUKS\xba\xbe', 'latin1')],
  ['raw', Buffer.alloc(0)],
  ['raw', Buffer.alloc(512)],
])('%s is told from its first bytes', (format, head) => {
  expect(probeMagic(head)).toBe(format);
});
