import { splitOptions } from '../props.ts';
import type { RawDevice } from '../raw.ts';

/**
 * The id of each device: its `id=`, else the name of its section, else the first of net0, net1, … (disk0, …) that is
 * free. MACs are derived from it, so it must not depend on anything but what was written.
 */
export function deviceIds(devices: readonly RawDevice[], prefix: 'net' | 'disk'): readonly string[] {
  const given = devices.map((device) => {
    const props = 'short' in device ? splitOptions(device.short).props : device.props;
    return props.find((prop) => prop.key === 'id')?.text ?? ('short' in device ? undefined : device.section);
  });
  const taken = new Set(given);
  return given.map((id) => {
    if (id !== undefined) return id;
    let n = 0;
    while (taken.has(`${prefix}${n}`)) n++;
    taken.add(`${prefix}${n}`);
    return `${prefix}${n}`;
  });
}
