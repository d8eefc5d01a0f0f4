/** A profile or the user's config: [vm], [net0], [net1], …, [disk0], … */
import { dirname } from 'node:path';
import { didYouMean } from './did-you-mean.ts';
import { type IniLine, type IniSection, readIni } from './ini/lines.ts';
import { decodeValue } from './ini/value.ts';
import { findKey, KEYS, type KeyName } from './keys.ts';
import { Gathering, type RawDevice, type RawProp, type RawValue } from './raw.ts';
import type { IniText, Layer } from './sources.ts';

/** Nothing is thrown: mistakes are in `problems`, and reported with those in the values. */
export function readProfile(
  file: IniText,
  shown: string = file.path.slice(file.path.lastIndexOf('/') + 1),
): Layer {
  const dir = dirname(file.path);
  const { sections, problems } = readIni(file.text, shown, decodeValue);
  const gathering = new Gathering();
  gathering.problems.push(...problems);
  const place = (section: IniSection, { key, text, line }: IniLine): RawProp => {
    const words = `[${section.name}] ${key} in`;
    return { key, text, at: `${words} ${shown}:${line}`, from: `${words} ${file.path}:${line}`, dir };
  };
  const values = new Map<KeyName, RawValue[]>();
  const devices: Record<'net' | 'disk', { order: number; device: RawDevice }[]> = { net: [], disk: [] };
  for (const section of sections) {
    const props = section.lines.map((line) => place(section, line));
    const [, kind, digits] = /^(net|disk)(0|[1-9][0-9]{0,3})$/.exec(section.name) ?? [];
    const device = { section: section.name, at: `[${section.name}] in ${shown}:${section.line}`, dir, props };
    if (section.name === 'vm') readVmSection(props, values, gathering);
    else if (kind === 'net' || kind === 'disk') devices[kind].push({ order: Number(digits), device });
    else {
      const near = didYouMean(section.name, ['vm', 'net0', 'disk0']);
      const hint = near ? `did you mean [${near}]?` : '[vm], [net0], [net1], …, [disk0], …';
      gathering.refuse(device.at, `there is no section "${section.name}"`, hint);
    }
  }
  const all = (kind: 'net' | 'disk'): readonly RawDevice[] => [
    ...(values.get(kind) ?? []).map((short) => ({ short })),
    ...devices[kind].toSorted((a, b) => a.order - b.order).map(({ device }) => device),
  ];
  const [disks, nets] = [all('disk'), all('net')];
  values.delete('disk');
  values.delete('net');
  return { values, disks, nets, problems: gathering.problems };
}

function readVmSection(
  props: readonly RawProp[],
  values: Map<KeyName, RawValue[]>,
  gathering: Gathering,
): void {
  for (const prop of props) {
    const key = findKey(prop.key);
    const before = key && values.get(key.name);
    if (key === undefined) {
      const near = didYouMean(
        // ini's own way to write a list.
        prop.key.replace(/\[\]$/, ''),
        KEYS.map((known) => known.name),
      );
      gathering.refuse(prop.at, `there is no key "${prop.key}"`, near && `did you mean "${near}"?`);
    } else if (before && !key.repeatable)
      gathering.refuse(prop.at, `${prop.key} is given twice`, `first: ${before[0]?.at}`);
    else values.set(key.name, [...(before ?? []), prop]);
  }
}
