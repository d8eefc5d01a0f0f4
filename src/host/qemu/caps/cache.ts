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
const FORMAT = 2;

/** Devices and displays may come from modules, which are installed without touching the binary. */
const MODULE_DIRS = [
  '/usr/lib/x86_64-linux-gnu/qemu',
  '/usr/lib64/qemu-kvm',
  '/usr/lib64/qemu',
  '/usr/lib/qemu',
];

const SETS = ['netdevs', 'devices', 'machines', 'accels', 'displays', 'commands', 'features'] as const;

/** `runAs`: what a QEMU said that ran as one user is believed for that user only. */
export function readCache(qemu: QemuBinary, runAs: readonly string[] = []): QemuCaps | undefined {
  const kept = keptJson<Record<string, unknown>>(fileOf(qemu, runAs), keyOf(qemu, runAs));
  if (!kept) return undefined;
  const sets = SETS.map((name) => [name, new Set(Array.isArray(kept[name]) ? kept[name] : [])]);
  return { ...kept, ...Object.fromEntries(sets) } as QemuCaps;
}

export function writeCache(qemu: QemuBinary, caps: QemuCaps, runAs: readonly string[] = []): void {
  const lists = SETS.map((name) => [name, [...caps[name]]]);
  keepJson(fileOf(qemu, runAs), keyOf(qemu, runAs), { ...caps, ...Object.fromEntries(lists) });
}

function fileOf({ identity }: QemuBinary, runAs: readonly string[]): string {
  const ids = runAs.filter((word) => /^\d+$/.test(word));
  const name = [basename(identity.realPath), identity.device, identity.inode, ...ids].join('-');
  return join(cacheDir(), `${name}.json`);
}

/** Everything that the answer depends on, as one text. */
function keyOf({ path, identity }: QemuBinary, runAs: readonly string[]): string {
  const modules = [process.env['QEMU_MODULE_DIR'], ...MODULE_DIRS].map((dir) =>
    dir ? [dir, changedMs(dir)] : [],
  );
  return JSON.stringify([FORMAT, path, identity, modules, runAs]);
}

function changedMs(dir: string): number {
  return statSync(dir, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
