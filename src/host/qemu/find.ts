/** Which QEMU is meant, and which file that really is. Synchronous: a few stat(2) calls before anything starts. */
import { accessSync, constants, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { EXIT, QlaunchError } from '../../errors.ts';
import { installLine } from './install.ts';

export interface QemuBinary {
  /** As it is run: absolute, symbolic links kept (a wrapper may decide by its name). */
  readonly path: string;
  /** Changes when the file behind the path is another one; what answers are cached by. */
  readonly identity: BinaryIdentity;
}

interface BinaryIdentity {
  readonly realPath: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly inode: number;
  readonly device: number;
}

/** RHEL and its kin call it qemu-kvm and keep it out of PATH. */
const NAMES = ['qemu-system-x86_64', 'qemu-kvm'];
const OFF_PATH = [
  '/usr/libexec/qemu-kvm',
  '/usr/local/bin/qemu-system-x86_64',
  '/usr/lib/qemu/qemu-system-x86_64',
];

/**
 * @param wanted a name (looked up in PATH), a path, or undefined for this distribution's
 * Errors: QL_QEMU_MISSING.
 */
export function findQemu(wanted?: string, path: string = process.env['PATH'] ?? ''): QemuBinary {
  if (wanted === undefined) {
    const candidates = [...NAMES.flatMap((name) => inPath(name, path)), ...OFF_PATH];
    for (const candidate of candidates) if (executable(candidate)) return binary(candidate);
    throw new QlaunchError('QL_QEMU_MISSING', EXIT.host, {
      what: 'QEMU is not installed',
      why: [`neither ${NAMES.join(' nor ')} in PATH, nor ${OFF_PATH.join(', ')}`],
      todo: [installLine('qemu')],
    });
  }
  const candidates = wanted.includes('/') ? [resolve(wanted)] : [...inPath(wanted, path), ...offPath(wanted)];
  for (const candidate of candidates) if (executable(candidate)) return binary(candidate);
  throw new QlaunchError('QL_QEMU_MISSING', EXIT.host, {
    what: `cannot run the QEMU that was asked for, ${wanted}`,
    why: [wanted.includes('/') ? reason(resolve(wanted)) : `no program ${wanted} in PATH (${path})`],
    todo: [installLine('qemu'), 'or leave the QEMU out and take the one that is found'],
  });
}

/** A helper of the same QEMU: beside the binary first, so that two installed versions do not mix. */
export function findBeside(
  qemu: QemuBinary | undefined,
  name: string,
  path: string = process.env['PATH'] ?? '',
): string | undefined {
  const beside = qemu ? [join(qemu.path, '..', name)] : [];
  return [...beside, ...inPath(name, path)].find(executable);
}

function inPath(name: string, path: string): string[] {
  // An empty entry means the current directory to a shell; a launcher that root may use must not.
  return path
    .split(':')
    .filter((dir) => dir.startsWith('/'))
    .map((dir) => join(dir, name));
}

function offPath(name: string): string[] {
  return OFF_PATH.filter((candidate) => basename(candidate) === name);
}

function executable(file: string): boolean {
  return reason(file) === '';
}

/** Why the file cannot be run; empty when it can. */
function reason(file: string): string {
  try {
    if (!statSync(file).isFile()) return `${file} is not a file`;
    accessSync(file, constants.X_OK);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function binary(path: string): QemuBinary {
  return { path, identity: identityOf(path) };
}

function identityOf(path: string): BinaryIdentity {
  const realPath = realpathSync(path);
  const { size, mtimeMs, ino, dev }: Stats = statSync(realPath);
  return { realPath, sizeBytes: size, modifiedMs: mtimeMs, inode: ino, device: dev };
}
