import { describe, expect, test } from 'vitest';
import { decideFormat } from '../../../../src/plan/disk/format-rule.ts';

describe('the format of a disk', () => {
  test.each([
    ['first use: probed, and recorded', { probed: 'qcow2' }, { format: 'qcow2', record: true }],
    ['later: as recorded', { recorded: 'qcow2', probed: 'qcow2' }, { format: 'qcow2', record: false }],
    [
      'given beats recorded, and is recorded',
      { given: 'qcow2', recorded: 'raw', probed: 'qcow2' },
      { format: 'qcow2', record: true },
    ],
    [
      'given again: nothing new',
      { given: 'raw', recorded: 'raw', probed: 'raw' },
      { format: 'raw', record: false },
    ],
    [
      'a fixed VHD has no mark at its beginning',
      { given: 'vpc', probed: 'raw' },
      { format: 'vpc', record: true },
    ],
  ] as const)('%s', (_, facts, decision) => {
    expect(decideFormat('d', facts)).toEqual(decision);
  });

  test('a name that promises a format which the file does not have is told, and it is raw', () => {
    expect(decideFormat('d.qcow2', { probed: 'raw' })).toEqual({
      format: 'raw',
      record: true,
      note: 'd.qcow2 is called qcow2 but begins like no known image format; it is used as a raw disk',
    });
    expect(decideFormat('d.img', { probed: 'raw' })).toEqual({ format: 'raw', record: true });
  });

  test('a raw disk in which a guest wrote a qcow2 header is refused', () => {
    expect(decideFormat('d.img', { recorded: 'raw', probed: 'qcow2' })).toEqual({
      refused: expect.stringContaining('used as raw so far and now begins like a qcow2 image'),
      cure: [
        expect.stringContaining('--disk d.img,format=raw'),
        expect.stringContaining('--disk d.img,format=qcow2'),
      ],
    });
  });

  test('…and is used as raw when the user says so, with a note', () => {
    expect(decideFormat('d.img', { given: 'raw', recorded: 'raw', probed: 'qcow2' })).toEqual({
      format: 'raw',
      record: false,
      note: 'd.img begins like a qcow2 image, and the guest will see it so',
    });
  });

  test('a wrong format is found before QEMU is', () => {
    expect(decideFormat('d', { given: 'qcow2', probed: 'raw' })).toEqual({
      refused: 'it is not in qcow2 format; it begins like no known image format (raw)',
      cure: ['--disk d,format=raw'],
    });
  });

  test('a format that we do not know is not taken for raw', () => {
    expect(decideFormat('d', { probed: 'other' })).toMatchObject({
      cure: expect.arrayContaining(['qemu-img convert -O qcow2 d NEW.qcow2']),
    });
  });
});
