/** `--disk FILE[,key=value…]`, or a section [disk0] with `file = …` and the same keys. */
import { parseId } from './id.ts';
import { parseChoice, parseSwitch } from './number.ts';
import { parsePath } from './path.ts';
import { type PropReader, readProps, splitOptions } from './props.ts';
import { Gathering, type Problem, type RawDevice, type RawProp } from './raw.ts';
import type { DiskBus, DiskCache, DiskFormat, DiskSpec } from './vm-spec.ts';

const DISK_BUSES: readonly DiskBus[] = ['virtio', 'scsi', 'nvme', 'ide'];
const CACHES: readonly DiskCache[] = ['none', 'writeback', 'writethrough', 'directsync', 'unsafe'];
const FORMATS: readonly DiskFormat[] = ['qcow2', 'raw', 'vmdk', 'vdi', 'vhdx', 'vpc'];

export function parseDisk(
  device: RawDevice,
  context: { id: string; home: string },
): DiskSpec | readonly Problem[] {
  const gathering = new Gathering();
  const draft: { -readonly [K in keyof DiskSpec]?: DiskSpec[K] } = {};
  const set = <K extends keyof DiskSpec>(
    key: K,
    parse: (prop: RawProp) => DiskSpec[K] | Problem,
  ): PropReader => ({
    read: (prop) => {
      const value = gathering.take(parse(prop));
      if (value !== undefined) draft[key] = value;
    },
  });
  const readOnly = set('readOnly', ({ text, at }) => parseSwitch(text, at));
  const readers = {
    file: set('file', (prop) => parsePath(prop, context.home)),
    id: set('id', ({ text, at }) => parseId(text, at)),
    bus: set('bus', ({ text, at }) => parseChoice(text, at, DISK_BUSES)),
    format: set('format', ({ text, at }) => parseChoice(text, at, FORMATS)),
    cache: set('cache', ({ text, at }) => parseChoice(text, at, CACHES)),
    discard: set('discard', ({ text, at }) => parseChoice(text, at, ['unmap', 'ignore'] as const)),
    backing: {
      repeatable: true,
      read: (prop: RawProp) => {
        const path = gathering.take(parsePath(prop, context.home));
        if (path !== undefined) draft.backing = [...(draft.backing ?? []), path];
      },
    } satisfies PropReader,
    ro: readOnly,
    readonly: readOnly,
    'read-only': readOnly,
  };
  const at = 'short' in device ? device.short.at : device.at;
  readProps(propsOf(device), readers, 'a disk', gathering, {
    if: 'bus=virtio|scsi|nvme|ide',
  });
  const { file } = draft;
  if (file === undefined && gathering.problems.length === 0) gathering.refuse(at, 'the file is missing');
  if (draft.readOnly && draft.bus === 'ide')
    gathering.refuse(at, 'an IDE disk can not be read-only', 'bus=scsi');
  if (file === undefined || gathering.problems.length > 0) return gathering.problems;
  return { id: context.id, bus: 'virtio', readOnly: false, ...draft, file };
}

function propsOf(device: RawDevice): readonly RawProp[] {
  if (!('short' in device)) return device.props;
  const { head, props } = splitOptions(device.short);
  return [{ ...head, key: 'file' }, ...props];
}
