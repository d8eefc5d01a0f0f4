/** The name servers and the rest that systemd-resolved keeps per link (resolvectl(1)): by its index, so not the bridge's. */
import { shellLine } from '../shell.ts';
import { type Argv, DEADLINE_MS, type Owns, type Step } from '../step.ts';

interface LinkSetting {
  /** Of resolvectl: "dns", "domain". */
  readonly verb: string;
  readonly values: readonly string[];
}

/** What it writes in its file of a link, in the order of setting. */
const VERBS: readonly (readonly [key: string, verb: string])[] = [
  ['SERVERS', 'dns'],
  ['DOMAINS', 'domain'],
  ['DEFAULT_ROUTE', 'default-route'],
  ['LLMNR', 'llmnr'],
  ['MDNS', 'mdns'],
  ['DNSSEC', 'dnssec'],
  ['DNSOVERTLS', 'dnsovertls'],
  ['NTAS', 'nta'],
];

/** @param text /run/systemd/resolve/netif/INDEX: link_save_user() in systemd/src/resolve/resolved-link.c */
export function readLinkSettings(text: string): readonly LinkSetting[] {
  const lines = new Map(
    text.split('\n').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]),
  );
  return VERBS.flatMap(([key, verb]) => {
    const values = (lines.get(key) ?? '').split(' ').filter((word) => word !== '');
    return values.length === 0 ? [] : [{ verb, values }];
  });
}

const set = (link: string, { verb, values }: LinkSetting, renamed: string = link): Argv => [
  ...(['resolvectl', verb, link] as const),
  // A link-local server is named with the link that it is on.
  ...values.map((value) => (verb === 'dns' ? value.replace(`%${renamed}`, `%${link}`) : value)),
];

/** On the port they would be asked first, and never answer. */
export function moveLinkSettings(
  settings: readonly LinkSetting[],
  nic: string,
  bridge: string,
  owns: Owns,
): readonly Step[] {
  if (settings.length === 0) return [];
  const back = settings.map((one) => shellLine(set(nic, one))).join(' && ');
  return [
    ...settings.map((one) => ({
      title: `give ${bridge} the ${one.verb} that systemd-resolved has for ${nic}`,
      do: { run: set(bridge, one, nic) },
      undo: { nothing: `goes away with ${bridge}` },
      deadlineMs: DEADLINE_MS,
    })),
    {
      title: `let systemd-resolved ask nobody over ${nic}`,
      do: { run: ['resolvectl', 'revert', nic] },
      undo: { run: ['sh', '-c', back], gone: [] },
      owns,
      deadlineMs: DEADLINE_MS,
    },
  ];
}
