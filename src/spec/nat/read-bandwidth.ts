/** `network/bandwidth`: how much passes between this host and the guests. */
import { parseWhole } from '../number.ts';
import type { Gathering } from '../raw.ts';
import type { Bandwidth, Rate } from './network.ts';
import { childrenNamed, type Element, placeOf } from './xml.ts';

/** 32 Gbit/s, as for a port (spec/port.ts). */
const MOST = 4_000_000;

export function readBandwidth(gathering: Gathering, root: Element): Bandwidth {
  const [element] = childrenNamed(root, 'bandwidth');
  // libvirt names them as guests see them (docs/formatnetwork.rst, "Quality of service").
  const [inbound] = element === undefined ? [] : childrenNamed(element, 'inbound');
  const [outbound] = element === undefined ? [] : childrenNamed(element, 'outbound');
  const toGuests = inbound === undefined ? undefined : readRate(gathering, inbound);
  const fromGuests = outbound === undefined ? undefined : readRate(gathering, outbound);
  return {
    ...(toGuests === undefined ? {} : { toGuests }),
    ...(fromGuests === undefined ? {} : { fromGuests }),
  };
}

function readRate(gathering: Gathering, element: Element): Rate | undefined {
  const number = (name: string): number | undefined => {
    const text = element.getAttribute(name);
    return text === null ? undefined : gathering.take(parseWhole(text, placeOf(element, name), 1, MOST));
  };
  if (!element.hasAttribute('average')) return gathering.refuse(placeOf(element, 'average'), 'is missing');
  const [average, peak, burst] = [number('average'), number('peak'), number('burst')];
  if (average === undefined) return undefined;
  if (peak !== undefined && peak < average)
    return gathering.refuse(placeOf(element, 'peak'), `${peak} is below the average, ${average}`);
  return { average, ...(peak === undefined ? {} : { peak }), ...(burst === undefined ? {} : { burst }) };
}
