import type { VmSpec } from '../../spec/vm-spec.ts';
import type { QemuContext } from './context.ts';
import { opt } from './opt.ts';

export function bootArguments(spec: VmSpec, { firmware }: QemuContext): string[][] {
  const { boot, kernel } = spec;
  const words = {
    order: usesBootIndex(spec) ? undefined : boot.order,
    once: boot.once,
    menu: boot.menu || undefined,
  };
  const text = opt('', words);
  return [
    ...(firmware ? flash(firmware) : []),
    ...(text === '' ? [] : [['-boot', text]]),
    ...(kernel ? [['-kernel', kernel.kernel]] : []),
    ...(kernel?.initrd === undefined ? [] : [['-initrd', kernel.initrd]]),
    ...(kernel?.append === undefined ? [] : [['-append', kernel.append]]),
  ];
}

function flash({ code, vars, format }: NonNullable<QemuContext['firmware']>): string[][] {
  return [
    ['-drive', opt('', { if: 'pflash', unit: 0, file: code, format, readonly: true })],
    ['-drive', opt('', { if: 'pflash', unit: 1, file: vars, format })],
  ];
}

/** once= is the BIOS's and loses against any bootindex. */
function usesBootIndex({ boot }: VmSpec): boolean {
  return boot.once === undefined;
}

/**
 * The bootindex of every device, by id; CD-ROMs are cdrom0, cdrom1, … Without an order: disks, then CD-ROMs, as the
 * BIOS does. 0 is left to -kernel's loader, which takes it (hw/i386/x86.c), and indices the user gave to NICs stay.
 */
export function bootIndices(spec: VmSpec): ReadonlyMap<string, number> {
  const indices = new Map(
    spec.nets.flatMap((net) => (net.boot === undefined ? [] : [[net.id, net.boot] as const])),
  );
  if (!usesBootIndex(spec)) return indices;
  const taken = new Set(indices.values());
  const groups: Readonly<Record<string, readonly string[]>> = {
    c: spec.disks.map((disk) => disk.id),
    d: spec.cdroms.map((_, i) => `cdrom${i}`),
    n: spec.nets.filter((net) => net.boot === undefined).map((net) => net.id),
  };
  let next = 1;
  for (const id of [...(spec.boot.order ?? 'cd')].flatMap((letter) => groups[letter] ?? [])) {
    while (taken.has(next)) next++;
    indices.set(id, next++);
  }
  return indices;
}
