/**
 * What a QEMU answered, kept in the user's cache directory as one small JSON per binary and void as soon as the
 * binary is another file. Reading it is on the way of every start: one readFile, nothing is spawned.
 */
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cacheDir } from '../cache-dir.ts';
import type { QemuBinary } from '../find.ts';
import type { QemuCaps, QemuFeature } from './caps.ts';

/** Raised when questions are added: an older answer is then asked again. */
const FORMAT = 1;

/** Devices and displays may come from modules, which are installed without touching the binary. */
const MODULE_DIRS = [
  '/usr/lib/x86_64-linux-gnu/qemu',
  '/usr/lib64/qemu-kvm',
  '/usr/lib64/qemu',
  '/usr/lib/qemu',
];

const SETS = ['netdevs', 'devices', 'machines', 'accels', 'displays', 'commands', 'features'] as const;

export function readCache(qemu: QemuBinary): QemuCaps | undefined {
  try {
    const kept = JSON.parse(readFileSync(fileOf(qemu), 'utf8'));
    if (kept.key !== keyOf(qemu)) return undefined;
    const { caps } = kept;
    for (const name of SETS) caps[name] = new Set<string>(caps[name]);
    return caps;
  } catch {
    // Not there yet, or damaged: both mean asking.
    return undefined;
  }
}

export function writeCache(qemu: QemuBinary, caps: QemuCaps): void {
  const file = fileOf(qemu);
  const lists = Object.fromEntries(
    SETS.map((name) => [name, [...(caps[name] as ReadonlySet<string | QemuFeature>)]]),
  );
  try {
    mkdirSync(join(file, '..'), { recursive: true, mode: 0o755 });
    const fresh = `${file}.${process.pid}`;
    writeFileSync(fresh, JSON.stringify({ key: keyOf(qemu), caps: { ...caps, ...lists } }));
    renameSync(fresh, file);
  } catch {
    // A read-only home costs the time of asking again, and nothing else.
  }
}

function fileOf(qemu: QemuBinary): string {
  return join(
    cacheDir(),
    `${basename(qemu.identity.realPath)}-${qemu.identity.device}-${qemu.identity.inode}.json`,
  );
}

/** Everything that the answer depends on, as one text. */
function keyOf({ path, identity }: QemuBinary): string {
  const modules = [process.env['QEMU_MODULE_DIR'], ...MODULE_DIRS].map((dir) =>
    dir ? [dir, changedMs(dir)] : [],
  );
  return JSON.stringify([FORMAT, path, identity, modules]);
}

function changedMs(dir: string): number {
  return statSync(dir, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
