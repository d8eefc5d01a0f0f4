/**
 * The header of a qcow2 file: what it refers to outside itself. The file is untrusted input.
 * Source: qemu/docs/interop/qcow2.txt.
 */

/** Enough for any header: QEMU requires header, extensions and backing name inside the first cluster. */
export const HEADER_BYTES: number = 64 * 1024;

export interface Qcow2Header {
  readonly version: 2 | 3;
  readonly virtualBytes: number;
  /** As written: relative to the image's directory, absolute, `json:…` or a protocol. */
  readonly backing?: string;
  /** What the header says the backing file is; absent, QEMU probes it. */
  readonly backingFormat?: string;
  /** The guest's data are in this raw file. */
  readonly dataFile?: string;
  readonly encrypted: boolean;
}

const EXT_END = 0;
const EXT_BACKING_FORMAT = 0xe2792aca;
const EXT_DATA_FILE = 0x44415441;
/** Incompatible feature bit 2. */
const EXTERNAL_DATA = 4n;
/** QEMU refuses longer names. */
const MAX_NAME_BYTES = 1023;

/** A text says what is wrong with the header. */
export function parseQcow2(head: Uint8Array): Qcow2Header | string {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.byteLength < 72 || view.getUint32(0) !== 0x514649fb) return 'not a qcow2 header';
  const version = view.getUint32(4);
  if (version !== 2 && version !== 3) return `qcow2 version ${version} is unknown`;
  if (version === 3 && head.byteLength < 104) return 'the header is cut off';
  const backing = readBacking(view, head);
  if (typeof backing === 'object') return backing.wrong;
  const headerBytes = version === 3 ? view.getUint32(100) : 72;
  const extensions = readExtensions(view, head, headerBytes);
  if (!extensions) return 'a header extension is cut off';
  const external = version === 3 && (view.getBigUint64(72) & EXTERNAL_DATA) !== 0n;
  const backingFormat = extensions.get(EXT_BACKING_FORMAT);
  const dataFile = external ? (extensions.get(EXT_DATA_FILE) ?? '') : undefined;
  return {
    version,
    virtualBytes: Number(view.getBigUint64(24)),
    ...(backing === undefined ? {} : { backing }),
    ...(backing === undefined || backingFormat === undefined ? {} : { backingFormat }),
    ...(dataFile === undefined ? {} : { dataFile }),
    encrypted: view.getUint32(32) !== 0,
  };
}

function readBacking(view: DataView, head: Uint8Array): string | undefined | { wrong: string } {
  const offset = view.getBigUint64(8);
  const length = view.getUint32(16);
  if (offset === 0n || length === 0) return undefined;
  if (length > MAX_NAME_BYTES || offset + BigInt(length) > BigInt(head.byteLength))
    return { wrong: 'the backing file name is outside the header' };
  return text(head, Number(offset), length);
}

function readExtensions(view: DataView, head: Uint8Array, start: number): Map<number, string> | undefined {
  const found = new Map<number, string>();
  let offset = start;
  while (offset + 8 <= head.byteLength) {
    const type = view.getUint32(offset);
    const length = view.getUint32(offset + 4);
    if (type === EXT_END) return found;
    if (offset + 8 + length > head.byteLength) return undefined;
    if (!found.has(type)) found.set(type, text(head, offset + 8, Math.min(length, MAX_NAME_BYTES)));
    // Each extension is padded to eight bytes.
    offset += 8 + Math.ceil(length / 8) * 8;
  }
  // A tiny file may end before the end mark; QEMU takes it as the end too.
  return found;
}

function text(bytes: Uint8Array, offset: number, length: number): string {
  return Buffer.from(bytes.subarray(offset, offset + length))
    .toString('utf8')
    .replace(/\0.*$/s, '');
}
