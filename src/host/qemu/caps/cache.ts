/**
 * What a QEMU answered, kept in the user's cache directory as one small JSON per binary and void as soon as the
 * binary is another file. Reading it is on the way of every start: one readFile, nothing is spawned.
 */
import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cacheDir } from '../cache-dir.ts';
import type { QemuBinary } from '../find.ts';
import { keepJson, keptJson } from '../kept-json.ts';
import type { QemuCaps } from './caps.ts';

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
  const kept = keptJson<Record<string, unknown>>(fileOf(qemu), keyOf(qemu));
  if (!kept) return undefined;
  const sets = SETS.map((name) => [name, new Set(Array.isArray(kept[name]) ? kept[name] : [])]);
  return { ...kept, ...Object.fromEntries(sets) } as QemuCaps;
}

export function writeCache(qemu: QemuBinary, caps: QemuCaps): void {
  const lists = SETS.map((name) => [name, [...caps[name]]]);
  keepJson(fileOf(qemu), keyOf(qemu), { ...caps, ...Object.fromEntries(lists) });
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
