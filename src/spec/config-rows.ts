import { KEYS } from './keys.ts';
import { BUILT_IN, type RawDevice, type RawValue, type RawVm } from './raw.ts';

export interface ConfigRow {
  readonly key: string;
  readonly value: string;
  readonly from: string;
}

/** What `config show` prints: every key that has a value, and where it was said. */
export function showConfig(raw: RawVm): readonly ConfigRow[] {
  return KEYS.flatMap((key): readonly ConfigRow[] => {
    if (key.name === 'disk') return raw.disks.flatMap((device, i) => deviceRows('disk', device, i));
    if (key.name === 'net' && raw.nets.length > 0)
      return raw.nets.flatMap((device, i) => deviceRows('net', device, i));
    const values = raw.values.get(key.name) ?? [];
    if (values.length > 0) return values.map((value) => row(key.name, value));
    return key.default === undefined ? [] : [{ key: key.name, value: key.default, from: BUILT_IN }];
  });
}

function deviceRows(kind: string, device: RawDevice, index: number): readonly ConfigRow[] {
  if ('short' in device) return [row(kind, device.short)];
  const name = device.section ?? `${kind}${index}`;
  return device.props.map((prop) => row(`${name}.${prop.key}`, prop));
}

const row = (key: string, { text, at, from }: RawValue): ConfigRow => ({
  key,
  value: text,
  from: from ?? at,
});
