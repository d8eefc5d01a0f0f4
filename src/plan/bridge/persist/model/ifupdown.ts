/** A model in the words of interfaces(5). */
import { type Family, familyOf, type Model } from '../wish.ts';
import { isGateway, routeText, ruleText } from './words.ts';

interface ModelStanza {
  readonly family: Family;
  readonly method: string;
  readonly options: readonly string[];
  /** Once it is up. */
  readonly after: readonly string[];
}

export function modelStanzas(model: Model): readonly [inet: ModelStanza, inet6: ModelStanza] {
  return [stanza(model, 'inet', model.dhcp4 === true), stanza(model, 'inet6', model.ra === true)];
}

function stanza({ addresses, routes = [], rules = [] }: Model, family: Family, auto: boolean): ModelStanza {
  const own = addresses.filter((one) => familyOf(one) === family);
  const ways = routes.filter(({ via }) => familyOf(via) === family);
  const asking = family === 'inet' ? 'dhcp' : 'auto';
  const [first] = own;
  // `inet6 static` has a word for advertisements; `inet dhcp` has none for addresses.
  const isStatic = first !== undefined && (!auto || family === 'inet6');
  const gateway = isStatic ? ways.find((way) => isGateway(way, { onlinkToo: true })) : undefined;
  return {
    family,
    method: isStatic ? 'static' : auto ? asking : 'manual',
    options: [
      ...(isStatic ? [`address ${first}`] : []),
      ...(isStatic && family === 'inet6' && auto ? ['accept_ra 1'] : []),
      ...(gateway === undefined ? [] : [`gateway ${gateway.via}`]),
      ...(gateway?.metric === undefined ? [] : [`metric ${gateway.metric}`]),
    ],
    after: [
      ...(isStatic ? own.slice(1) : own).map(
        (one) => `post-up ip address add ${one}${family === 'inet6' ? '' : ' broadcast +'} dev $IFACE`,
      ),
      ...ways
        .filter((way) => way !== gateway)
        .map((way) => `post-up ip route add ${routeText(way, '$IFACE')}`),
      // The bridge's routes go with it; its rules would stay.
      ...rules
        .filter((rule) => rule.family === family)
        .flatMap((rule) =>
          [
            ['post-up', 'add'],
            ['pre-down', 'del'],
          ].map(
            ([when, verb]) =>
              `${when} ip ${family === 'inet6' ? '-6' : '-4'} rule ${verb} ${ruleText(rule, '$IFACE')}`,
          ),
        ),
    ],
  };
}

export const indented = (lines: readonly string[]): readonly string[] => lines.map((line) => `\t${line}`);

/** None where there is nothing to say. */
export function stanzaLines(
  bridge: string,
  { family, method, options, after }: ModelStanza,
  beside: readonly string[] = [],
): readonly string[] {
  const all = [...options, ...beside, ...after];
  if (method === 'manual' && all.length === 0) return [];
  return [`iface ${bridge} ${family} ${method}`, ...indented(all)];
}

const OF_ADDRESS = new Set([
  ...['address', 'netmask', 'broadcast', 'network', 'gateway', 'metric', 'pointopoint', 'scope', 'media'],
  ...['preferred-lifetime', 'dad-attempts', 'dad-interval', 'accept_ra', 'autoconf', 'privext', 'dhcp'],
  ...[
    'request_prefix',
    'll-attempts',
    'll-interval',
    'hostname',
    'leasehours',
    'leasetime',
    'vendor',
    'client',
  ],
]);
const OF_ROUTE = /\bip (-\S+ )*(a|addr|address|r|ro|route)\b|\b(route|ifconfig) /;

/** Of a stanza that others take the place of: what is not about its addresses and routes. */
export function isBeside(option: string): boolean {
  const [key = ''] = option.split(/\s/);
  return !OF_ADDRESS.has(key) && !(/^(pre-|post-)?(up|down)$/.test(key) && OF_ROUTE.test(option));
}
