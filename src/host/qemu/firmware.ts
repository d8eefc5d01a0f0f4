/** UEFI: where this distribution keeps OVMF, and a VM's own copy of its variables. */
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { EXIT, QlaunchError } from '../../errors.ts';
import { makePassage, openPassage } from '../vm/dirs.ts';
import { asOwner } from '../vm/user.ts';
import { type Firmware, readDescriptor } from './firmware/descriptor.ts';
import { installLine } from './install.ts';

export type { Firmware } from './firmware/descriptor.ts';

/** Where descriptors are, the first directory's file hides a later one of the same name (firmware.json). */
const DESCRIPTORS = ['/etc/qemu/firmware', '/usr/local/share/qemu/firmware', '/usr/share/qemu/firmware'];

/** For machines whose packages bring no descriptors. 4 MB builds first: the 2 MB ones are on their way out. */
const PAIRS: readonly (readonly [code: string, vars: string])[] = [
  ['/usr/share/OVMF/OVMF_CODE_4M.fd', '/usr/share/OVMF/OVMF_VARS_4M.fd'],
  ['/usr/share/OVMF/OVMF_CODE.fd', '/usr/share/OVMF/OVMF_VARS.fd'],
  ['/usr/share/edk2/ovmf/OVMF_CODE.fd', '/usr/share/edk2/ovmf/OVMF_VARS.fd'],
  ['/usr/share/edk2/x64/OVMF_CODE.4m.fd', '/usr/share/edk2/x64/OVMF_VARS.4m.fd'],
  ['/usr/share/edk2-ovmf/x64/OVMF_CODE.fd', '/usr/share/edk2-ovmf/x64/OVMF_VARS.fd'],
  ['/usr/share/qemu/ovmf-x86_64-code.bin', '/usr/share/qemu/ovmf-x86_64-vars.bin'],
  ['/usr/share/qemu/edk2-x86_64-code.fd', '/usr/share/qemu/edk2-i386-vars.fd'],
];

/**
 * Errors: QL_UEFI_MISSING.
 * @param machine as given to QEMU: `q35`, `pc`, `pc-q35-7.2`
 */
export function findFirmware(machine: string, descriptorDirs: readonly string[] = DESCRIPTORS): Firmware {
  for (const text of descriptors(descriptorDirs)) {
    const firmware = readDescriptor(text, machine);
    if (firmware && existsSync(firmware.code) && existsSync(firmware.varsTemplate)) return firmware;
  }
  // OVMF is built for these two; microvm has a build of its own that only descriptors know.
  const pairs = /^(q35|pc)\b/.test(machine) ? PAIRS : [];
  for (const [code, varsTemplate] of pairs)
    if (existsSync(code) && existsSync(varsTemplate)) return { code, varsTemplate, format: 'raw' };
  throw new QlaunchError('QL_UEFI_MISSING', EXIT.host, {
    what: `no UEFI firmware for machine ${machine} is installed`,
    why: [`no descriptor in ${descriptorDirs.join(', ')} fits, and OVMF is at none of its usual places`],
    todo: [installLine('ovmf'), 'or name the files: --uefi CODE_FILE --uefi-vars VARS_FILE'],
  });
}

/** By file name, which begins with a number: the distribution's order of preference. */
function descriptors(dirs: readonly string[]): string[] {
  const byName = new Map<string, string>();
  for (const dir of dirs)
    for (const name of names(dir))
      if (!byName.has(name)) byName.set(name, readFileSync(join(dir, name), 'utf8'));
  // An empty file is how an administrator hides one.
  return [...byName.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
}

function names(dir: string): string[] {
  try {
    return readdirSync(dir).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
}

/**
 * Where a VM's own variables are: by user and by what the VM is (its canonical image or profile path), because a name
 * may be another VM's tomorrow.
 * @param state VmDirs.state
 * @param ext `fd`, `qcow2`
 */
export function varsPath(state: string, uid: number, identity: string, ext: string): string {
  const key = createHash('sha256').update(identity).digest('hex').slice(0, 16);
  return join(state, 'uefi', String(uid), `${key}.${ext}`);
}

/**
 * The VM's own variables: copied once, then never touched again, for they hold its boot entries. A copy that was
 * cut off never gets the name. The folder is 0700 and its user's; above it anybody may pass, so that QEMU gets there
 * when root made it. Errors as they are (ENOSPC, EACCES).
 * @param target as varsPath() gives it
 * @param owner QEMU's user when we are root and QEMU is not
 */
export function ownVars(template: string, target: string, owner?: { uid: number; gid: number }): void {
  const folder = dirname(target);
  const all = dirname(folder);
  makePassage(all);
  for (const dir of [dirname(all), all]) if (owner) openPassage(dir);
  makeFolder(folder, owner);
  // With the user's rights: the folder is its own, and a link in it must not lead root anywhere.
  asOwner(owner ?? ROOT, () => copyOnce(template, target));
}

const ROOT = { uid: 0, gid: 0 };

function makeFolder(folder: string, owner?: { uid: number; gid: number }): void {
  const above = lstatSync(dirname(folder));
  try {
    asOwner(above, () => mkdirSync(folder, { mode: 0o700 }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  // In a folder of root's it is still what was made.
  if (owner && above.uid === 0 && lstatSync(folder).uid === 0) lchownSync(folder, owner.uid, owner.gid);
}

function copyOnce(template: string, target: string): void {
  if (existsSync(target)) return;
  const fresh = `${target}.${randomBytes(6).toString('hex')}`;
  try {
    copyFileSync(template, fresh);
    chmodSync(fresh, 0o600);
    linkSync(fresh, target);
  } catch (error) {
    // Another start of the same VM was first; its copy is as good.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(fresh, { force: true });
  }
}
