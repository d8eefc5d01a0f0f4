/** `network/portgroup`: what a guest's port of the network may do, chosen by name. */
import { parseSwitch, parseWhole } from '../number.ts';
import { type PortRate, type PortSpec, parseVlan, type VlanRange } from '../port.ts';
import { type Gathering, isProblem } from '../raw.ts';
import { childrenNamed, type Element, placeOf } from './xml.ts';

export interface Portgroup extends Pick<PortSpec, 'isolated' | 'vlan' | 'trunk' | 'rate'> {
  readonly name: string;
  /** Of NICs that name none. */
  readonly isDefault?: true;
}

/** Whether there is anything for a port in it. */
export const hasSettings = ({ isolated, vlan, trunk, rate }: Portgroup): boolean =>
  isolated === true || vlan !== undefined || trunk !== undefined || rate !== undefined;

export function readPortgroups(gathering: Gathering, root: Element): readonly Portgroup[] {
  const seen = new Set<string>();
  let hasDefault = false;
  return childrenNamed(root, 'portgroup').flatMap((group) => {
    const name = group.getAttribute('name') ?? '';
    if (name === '') gathering.refuse(placeOf(group, 'name'), 'is missing');
    else if (seen.has(name)) gathering.refuse(placeOf(group, 'name'), `there is another portgroup "${name}"`);
    seen.add(name);
    const isDefault = switchOf(gathering, group, 'default');
    if (isDefault && hasDefault) gathering.refuse(placeOf(group, 'default'), 'only one of them may be it');
    hasDefault ||= isDefault;
    const [port] = childrenNamed(group, 'port');
    const isolated = port !== undefined && switchOf(gathering, port, 'isolated');
    const rate = readRate(gathering, group);
    return [
      {
        name,
        ...(isDefault ? { isDefault } : {}),
        ...(isolated ? { isolated } : {}),
        ...readVlan(gathering, group),
        ...(rate === undefined ? {} : { rate }),
      },
    ];
  });
}

function switchOf(gathering: Gathering, element: Element, name: string): boolean {
  const text = element.getAttribute(name);
  return text !== null && gathering.take(parseSwitch(text, placeOf(element, name))) === true;
}

/** Several tags are a trunk (libvirt's docs/formatnetwork.rst, "Setting VLAN tag"); the native one has none. */
function readVlan(gathering: Gathering, group: Element): Pick<PortSpec, 'vlan' | 'trunk'> {
  const [element, again] = childrenNamed(group, 'vlan');
  if (again !== undefined) gathering.refuse(placeOf(again), 'there may be only one of it');
  if (element === undefined) return {};
  const isTrunk = switchOf(gathering, element, 'trunk');
  let vlan: number | undefined;
  const tagged: VlanRange[] = [];
  const tags = childrenNamed(element, 'tag');
  if (tags.length === 0) gathering.refuse(`${placeOf(element)}/tag`, 'is missing');
  for (const tag of tags) {
    const id = parseVlan(tag.getAttribute('id') ?? '', placeOf(tag, 'id'));
    if (isProblem(id)) {
      gathering.take(id);
      continue;
    }
    const native = tag.getAttribute('nativeMode');
    if (native !== null && native !== 'untagged')
      gathering.refuse(placeOf(tag, 'nativeMode'), `"${native}" is not done here`, "write 'untagged'");
    if (native === 'untagged' || (tags.length === 1 && !isTrunk)) vlan = id;
    else tagged.push({ from: id, to: id });
  }
  return { ...(vlan === undefined ? {} : { vlan }), ...(tagged.length === 0 ? {} : { trunk: tagged }) };
}

/** Kilobytes per second, 32 Gbit/s at most. libvirt names them as guests see them. */
const MOST = 4_000_000;

function readRate(gathering: Gathering, group: Element): PortRate | undefined {
  const [element] = childrenNamed(group, 'bandwidth');
  if (element === undefined) return undefined;
  const bits = (name: string): number | undefined => {
    const [one] = childrenNamed(element, name);
    if (one === undefined) return undefined;
    const at = placeOf(one, 'average');
    const average = gathering.take(parseWhole(one.getAttribute('average') ?? '', at, 1, MOST));
    return average === undefined ? undefined : average * 8000;
  };
  const [toGuest, fromGuest] = [bits('inbound'), bits('outbound')];
  if (toGuest === undefined && fromGuest === undefined) return undefined;
  return {
    ...(toGuest === undefined ? {} : { toGuest }),
    ...(fromGuest === undefined ? {} : { fromGuest }),
  };
}
