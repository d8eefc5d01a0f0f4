/**
 * `--accel auto`: KVM where a KVM guest really runs, else TCG with the reason.
 *
 * That /dev/kvm opens proves nothing: on nested machines it may abort QEMU, hang it, or emulate every instruction
 * a hundred times slower than TCG. So a tiny guest is run once per boot and binary (about 60 ms where KVM works,
 * two seconds where it does not).
 */
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Argv } from '../../plan/step.ts';
import type { Host } from '../port.ts';
import { kvmMissing, type NoKvm } from './accel/kvm-device.ts';
import { probeRom } from './accel/probe-rom.ts';
import { judge } from './accel/verdict.ts';
import { cacheDir } from './cache-dir.ts';
import type { QemuBinary } from './find.ts';
import { keepJson, keptJson } from './kept-json.ts';

export type AccelChoice =
  | { readonly accel: 'kvm' }
  /** `because` is one line for the user; `cure` what to type, if anything helps. */
  | ({ readonly accel: 'tcg' } & NoKvm);

export interface AccelOptions {
  /** In front of QEMU's argv when it runs as another user (`setpriv --reuid … --`). */
  readonly runAs?: readonly string[];
  /** A KVM guest needs 0.06 s where it works; 2000 unless given. */
  readonly deadlineMs?: number;
}

export async function chooseAccel(
  host: Pick<Host, 'run'>,
  qemu: QemuBinary,
  { runAs = [], deadlineMs = 2000 }: AccelOptions = {},
): Promise<AccelChoice> {
  // The file's permissions are looked at each time: groups and modes change within one boot. For another user
  // only QEMU itself can tell about rights.
  const missing = kvmMissing(runAs.length === 0);
  if (missing) return { accel: 'tcg', ...missing };
  const file = join(cacheDir(), `accel-${qemu.identity.device}-${qemu.identity.inode}.json`);
  const key = cacheKey(qemu, runAs);
  const known = keptJson<AccelChoice>(file, key);
  if (known) return known;
  const result = await runProbe(host, [...runAs, qemu.path], 'kvm', deadlineMs);
  const why = judge(result, deadlineMs);
  const choice: AccelChoice = why ? { accel: 'tcg', ...why } : { accel: 'kvm' };
  // A right may be granted at any moment, so its lack is asked for anew.
  if (!/Permission denied/.test(result.stderr)) keepJson(file, key, choice);
  return choice;
}

/** Runs the probe guest; its letters are in stdout (accel/probe-rom.ts). */
export async function runProbe(
  host: Pick<Host, 'run'>,
  program: readonly string[],
  accel: 'kvm' | 'tcg',
  deadlineMs: number,
): Promise<Awaited<ReturnType<Host['run']>>> {
  const { dirSync } = await import('../temporary.ts');
  const dir = dirSync({ prefix: 'qlaunch-accel', unsafeCleanup: true });
  try {
    // QEMU may run as another user; the ROM is no secret.
    chmodSync(dir.name, 0o755);
    const rom = join(dir.name, 'probe.rom');
    writeFileSync(rom, probeRom(), { mode: 0o644 });
    const argv = [
      ...program,
      ...['-machine', 'q35', '-accel', accel, '-m', '16'],
      ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
      ...['-bios', rom, '-serial', 'stdio'],
    ];
    return await host.run(argv as unknown as Argv, { timeoutMs: deadlineMs });
  } finally {
    dir.removeCallback();
  }
}

/** A change of any part asks again: boot, binary, user, and /dev/kvm itself (kvm modules loaded anew). */
function cacheKey(qemu: QemuBinary, runAs: readonly string[]): string {
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const device = statSync('/dev/kvm', { throwIfNoEntry: false });
  return JSON.stringify([1, bootId, qemu.path, qemu.identity, runAs, device?.ino, device?.ctimeMs]);
}
