/** A qcow2 header as `qemu-img create` writes it, for tests that must not depend on it. */
export interface HeaderWish {
  readonly version?: number;
  readonly backing?: string;
  readonly backingFormat?: string;
  readonly dataFile?: string;
}

export function qcow2Image({ version = 3, backing, backingFormat, dataFile }: HeaderWish = {}): Buffer {
  const head = Buffer.alloc(1024);
  head.writeUInt32BE(0x514649fb, 0);
  head.writeUInt32BE(version, 4);
  head.writeUInt32BE(16, 20);
  head.writeBigUInt64BE(BigInt(1024 ** 3), 24);
  if (version === 3) {
    head.writeBigUInt64BE(dataFile === undefined ? 0n : 4n, 72);
    head.writeUInt32BE(104, 100);
  }
  let offset = version === 3 ? 104 : 72;
  const extension = (type: number, text: string): void => {
    head.writeUInt32BE(type, offset);
    head.writeUInt32BE(Buffer.byteLength(text), offset + 4);
    head.write(text, offset + 8);
    offset += 8 + Math.ceil(Buffer.byteLength(text) / 8) * 8;
  };
  if (backingFormat !== undefined) extension(0xe2792aca, backingFormat);
  if (dataFile !== undefined) extension(0x44415441, dataFile);
  offset += 8;
  if (backing !== undefined) {
    head.writeBigUInt64BE(BigInt(offset), 8);
    head.writeUInt32BE(Buffer.byteLength(backing), 16);
    head.write(backing, offset);
  }
  return head;
}
