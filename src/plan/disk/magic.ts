/**
 * Which image format the first bytes of a file announce. QEMU's own probing (block.c, find_image_format) does the
 * same with the first 2 KiB; everything that announces nothing is raw.
 */

/** What a file may begin with. `other` is a format that we do not write: qcow1, qed, parallels, bochs, luks… */
export type ProbedFormat = 'qcow2' | 'vmdk' | 'vdi' | 'vhdx' | 'vpc' | 'other' | 'raw';

const at = (bytes: Uint8Array, offset: number, length: number): string =>
  Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1');

/** @param head the file's first bytes; 2048 are enough */
export function probeMagic(head: Uint8Array): ProbedFormat {
  const four = at(head, 0, 4);
  // Source: the probe functions in qemu/block/*.c.
  if (four === 'QFI\xfb') return head[7] === 1 ? 'other' : 'qcow2';
  if (four === 'KDMV' || four === 'COWD') return 'vmdk';
  if (/^(#[^\n]*\n|[ \r]*\n)*version=[123]\r?\n/.test(at(head, 0, 512))) return 'vmdk';
  if (at(head, 0x40, 4) === '\x7f\x10\xda\xbe') return 'vdi';
  if (at(head, 0, 8) === 'vhdxfile') return 'vhdx';
  if (at(head, 0, 8) === 'conectix') return 'vpc';
  if (four === 'QED\0' || at(head, 0, 6) === 'LUKS\xba\xbe') return 'other';
  if (at(head, 0, 16) === 'WithoutFreeSpace' || at(head, 0, 16) === 'WithouFreSpacExt') return 'other';
  if (at(head, 0, 15) === 'Bochs Virtual H') return 'other';
  return 'raw';
}
