/** `network/dns`: names that guests ask for. */
import { parseWhole } from '../number.ts';
import type { Gathering, Problem } from '../raw.ts';
import type { Forwarder, Names, SrvRecord } from './network.ts';
import { readAddress } from './read-address.ts';
import { parseDnsName, parseDomain, parseService, parseTxt } from './words.ts';
import { childrenNamed, type Element, placeOf } from './xml.ts';

const NO_NAMES = { forwarders: [], hosts: [], texts: [], services: [] };

export function readNames(gathering: Gathering, element: Element | undefined): Omit<Names, 'forwardPlain'> {
  if (element === undefined) return NO_NAMES;
  const all = <T>(
    name: string,
    read: (gathering: Gathering, child: Element) => T | undefined,
  ): readonly T[] => childrenNamed(element, name).flatMap((child) => read(gathering, child) ?? []);
  return {
    forwarders: all('forwarder', readForwarder),
    hosts: all('host', readNamedHost),
    texts: all('txt', readText),
    services: all('srv', readService),
  };
}

type Reader<T> = (text: string, at: string) => T | Problem;

/** undefined: it is not there, or wrong. */
function optional<T>(gathering: Gathering, element: Element, name: string, reader: Reader<T>): T | undefined {
  const text = element.getAttribute(name);
  return text === null ? undefined : gathering.take(reader(text, placeOf(element, name)));
}

function needed<T>(gathering: Gathering, element: Element, name: string, reader: Reader<T>): T | undefined {
  if (element.hasAttribute(name)) return optional(gathering, element, name, reader);
  return gathering.refuse(placeOf(element, name), 'is missing');
}

function readForwarder(gathering: Gathering, element: Element): Forwarder | undefined {
  const domain = optional(gathering, element, 'domain', parseDomain);
  const address = element.hasAttribute('addr') ? readAddress(gathering, element, 'addr') : undefined;
  if (!element.hasAttribute('addr') && !element.hasAttribute('domain'))
    return gathering.refuse(placeOf(element), 'has neither an addr nor a domain');
  return { ...(domain === undefined ? {} : { domain }), ...(address === undefined ? {} : { address }) };
}

function readNamedHost(gathering: Gathering, element: Element): Names['hosts'][number] | undefined {
  const address = readAddress(gathering, element, 'ip');
  const names = childrenNamed(element, 'hostname').flatMap(
    (child) => gathering.take(parseDomain((child.textContent ?? '').trim(), placeOf(child))) ?? [],
  );
  if (childrenNamed(element, 'hostname').length === 0)
    return gathering.refuse(`${placeOf(element)}/hostname`, 'is missing');
  return address === undefined ? undefined : { address, names };
}

function readText(gathering: Gathering, element: Element): Names['texts'][number] | undefined {
  const name = needed(gathering, element, 'name', parseDnsName);
  const value = optional(gathering, element, 'value', parseTxt) ?? '';
  return name === undefined ? undefined : { name, value };
}

function readService(gathering: Gathering, element: Element): SrvRecord | undefined {
  const service = needed(gathering, element, 'service', parseService);
  const protocol = needed(gathering, element, 'protocol', parseService);
  const domain = optional(gathering, element, 'domain', parseDnsName);
  const target = optional(gathering, element, 'target', parseDnsName);
  const number = (name: string, least: number): number | undefined =>
    optional(gathering, element, name, (text, at) => parseWhole(text, at, least, 65_535));
  const [port, priority, weight] = [number('port', 1), number('priority', 0), number('weight', 0)];
  if (service === undefined || protocol === undefined) return undefined;
  return {
    service,
    protocol,
    ...(domain === undefined ? {} : { domain }),
    ...(target === undefined ? {} : { target }),
    // Those of dnsmasq(8).
    port: port ?? 1,
    priority: priority ?? 0,
    weight: weight ?? 0,
  };
}
