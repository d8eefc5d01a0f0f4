import { type MachineFamily, machineFamily } from '../../spec/vm/machine.ts';
import type { DiskSpec, VmSpec } from '../../spec/vm-spec.ts';
import { bootIndices } from './boot.ts';
import type { QemuContext } from './context.ts';
import { opt } from './opt.ts';

/**
 * -drive and not -blockdev: it is what people read and write, and -snapshot works with it only. `if=none` and a format
 * leave nothing to QEMU's guessing.
 */
export function diskArguments(spec: VmSpec, context: QemuContext): string[][] {
  const family = machineFamily(spec.machine) ?? 'q35';
  const indices = bootIndices(spec);
  const ide = idePlaces(spec, family);
  const cdroms = spec.cdroms.map((file, i) => ({ id: `cdrom${i}`, file }));
  const scsi = spec.disks.some((disk) => disk.bus === 'scsi') || (family === 'microvm' && cdroms.length > 0);
  return [
    ...(scsi
      ? [['-device', opt(family === 'microvm' ? 'virtio-scsi-device' : 'virtio-scsi-pci', { id: 'scsi0' })]]
      : []),
    ...spec.disks.flatMap((disk) => [
      ['-drive', drive(disk, context.formats[disk.id] ?? disk.format)],
      ['-device', device(disk, family, ide, indices.get(disk.id))],
    ]),
    ...cdroms.flatMap(({ id, file }) => [
      ['-drive', opt('', { if: 'none', id, file, format: 'raw', media: 'cdrom', readonly: true })],
      [
        '-device',
        family === 'microvm'
          ? opt('scsi-cd', { bus: 'scsi0.0', drive: id, bootindex: indices.get(id) })
          : opt('ide-cd', { ...ide.get(id), drive: id, bootindex: indices.get(id) }),
      ],
    ]),
  ];
}

function drive({ id, file, cache, discard, readOnly }: DiskSpec, format: string | undefined): string {
  if (format === undefined) throw new TypeError(`the format of disk ${id} was not decided`);
  return opt('', { if: 'none', id, file, format, cache, discard, readonly: readOnly || undefined });
}

function device(
  disk: DiskSpec,
  family: MachineFamily,
  ide: IdePlaces,
  bootindex: number | undefined,
): string {
  const drive = disk.id;
  switch (disk.bus) {
    case 'virtio':
      return opt(family === 'microvm' ? 'virtio-blk-device' : 'virtio-blk-pci', { drive, bootindex });
    case 'scsi':
      return opt('scsi-hd', { bus: 'scsi0.0', drive, bootindex });
    case 'nvme':
      // The serial number is mandatory; guests show it in /dev/disk/by-id.
      return opt('nvme', { drive, serial: disk.id, bootindex });
    case 'ide':
      return opt('ide-hd', { ...ide.get(disk.id), drive, bootindex });
  }
}

type IdePlaces = ReadonlyMap<string, { readonly bus: string; readonly unit?: number }>;

/** pc: two channels with two units each. q35: six AHCI ports. CD-ROMs start at the third place, as QEMU's -cdrom does. */
function idePlaces(spec: VmSpec, family: MachineFamily): IdePlaces {
  const disks = spec.disks.filter((disk) => disk.bus === 'ide').map((disk) => disk.id);
  const cdroms = spec.cdroms.map((_, i) => `cdrom${i}`);
  const room = family === 'pc' ? 4 : 6;
  const gap = Math.max(0, Math.min(2 - disks.length, room - disks.length - cdroms.length));
  const slots = [...disks, ...Array<undefined>(gap).fill(undefined), ...cdroms];
  return new Map(
    slots.flatMap((id, slot) => {
      if (id === undefined) return [];
      return [
        [id, family === 'pc' ? { bus: `ide.${slot >> 1}`, unit: slot & 1 } : { bus: `ide.${slot}` }] as const,
      ];
    }),
  );
}
