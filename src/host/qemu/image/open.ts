/** Opening an image just far enough to see what it is, with the rights of the user QEMU runs as. */
import { accessSync, closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { HEADER_BYTES } from '../../../plan/disk/qcow2.ts';
import type { Argv } from '../../../plan/step.ts';
import type { Host } from '../../port.ts';

export interface ImageHead {
  /** All links resolved. */
  readonly path: string;
  /** The first 64 KiB, or all there is. */
  readonly bytes: Uint8Array;
  readonly inode: number;
  readonly device: number;
  readonly kind: 'file' | 'block' | 'directory' | 'other';
  readonly writable: boolean;
}

/** `reason` is an errno's name where there is one. */
export interface CannotOpen {
  readonly reason: 'ENOENT' | 'EACCES' | 'other';
  readonly words: string;
}

export interface ImageTools {
  readonly host: Pick<Host, 'run'>;
  /** undefined where it is not installed: then only raw and qcow2 can be looked into. */
  readonly qemuImg: string | undefined;
  /** `setpriv … --` when we are root and QEMU runs as somebody else; empty when it runs as we do. */
  readonly runAs: readonly string[];
  /** readProcLocks(), started early or shared between disks; read for each disk where it is missing. */
  readonly procLocks?: Promise<string>;
}

export function openImage(tools: ImageTools, path: string): Promise<ImageHead | CannotOpen> {
  return tools.runAs.length === 0 ? Promise.resolve(openHere(path)) : openAs(tools, path);
}

export function isHead(opened: ImageHead | CannotOpen): opened is ImageHead {
  return 'bytes' in opened;
}

function openHere(path: string): ImageHead | CannotOpen {
  let fd: number;
  try {
    // A FIFO must not block us.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { reason: code === 'ENOENT' || code === 'EACCES' ? code : 'other', words: message };
  }
  try {
    const stat = fstatSync(fd);
    const kind = kindOf(stat.mode);
    const bytes = Buffer.alloc(kind === 'file' || kind === 'block' ? HEADER_BYTES : 0);
    const length = bytes.length === 0 ? 0 : readSync(fd, bytes, 0, bytes.length, 0);
    return {
      path: realpathSync(path),
      bytes: bytes.subarray(0, length),
      inode: stat.ino,
      device: stat.dev,
      kind,
      writable: mayWrite(path),
    };
  } finally {
    closeSync(fd);
  }
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function kindOf(mode: number): ImageHead['kind'] {
  const type = mode & constants.S_IFMT;
  if (type === constants.S_IFREG) return 'file';
  if (type === constants.S_IFBLK) return 'block';
  return type === constants.S_IFDIR ? 'directory' : 'other';
}

/** Root must not read for a user what that user may not read: one child with the user's rights does it all. */
const LOOK = `
set -e
stat -L -c '%i %d %f' -- "$1"
if [ -w "$1" ]; then echo w; else echo r; fi
if [ -f "$1" ] || [ -b "$1" ]; then
  [ -r "$1" ] || { echo "$1: Permission denied" >&2; exit 1; }
  od -An -v -tx1 -N${HEADER_BYTES} -- "$1" | tr -d ' \\n'
fi
echo
readlink -f -- "$1"`;

async function openAs({ host, runAs }: ImageTools, path: string): Promise<ImageHead | CannotOpen> {
  const argv = [...runAs, '/bin/sh', '-c', LOOK, 'sh', path] as unknown as Argv;
  const { status, stdout, stderr } = await host.run(argv, { timeoutMs: 10_000 });
  const [, inode, device, mode, rights, hex, real] =
    /^(\d+) (\d+) ([0-9a-f]+)\n([wr])\n([0-9a-f]*)\n(.*)$/s.exec(stdout) ?? [];
  if (status === 0 && mode !== undefined && hex !== undefined && real !== undefined)
    return {
      path: real.replace(/\n$/, ''),
      bytes: Buffer.from(hex, 'hex'),
      inode: Number(inode),
      device: Number(device),
      kind: kindOf(Number.parseInt(mode, 16)),
      writable: rights === 'w',
    };
  const reason = /No such file/.test(stderr)
    ? 'ENOENT'
    : /Permission denied/.test(stderr)
      ? 'EACCES'
      : 'other';
  return { reason, words: stderr.trim() };
}
