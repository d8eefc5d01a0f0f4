/**
 * /etc/qlaunch/ifup.ini: which bridge a tap goes to when nothing else says so. A section is a pattern of interface
 * names with `*` and `?`; the first one that fits decides.
 */
import { type IfName, parseIfName } from '../ifname.ts';
import { type IniSection, readIni } from '../ini/lines.ts';
import { parseSwitch, parseWhole } from '../number.ts';
import { Gathering, type Problem } from '../raw.ts';

export interface HookRule {
  /** "tap*" */
  readonly pattern: string;
  readonly bridge: IfName;
  /** That of the bridge unless given. */
  readonly mtu?: number;
  readonly isolated?: boolean;
  /** "[tap*] in ifup.ini:3" */
  readonly at: string;
}

const KEYS = 'bridge, mtu, isolated';

/** Nothing is thrown: all mistakes are in `problems`, and while there is one, no rule is to be believed. */
export function parseHookRules(
  text: string,
  shown: string,
): { readonly rules: readonly HookRule[]; readonly problems: readonly Problem[] } {
  const { sections, problems } = readIni(text, shown, asWritten);
  const gathering = new Gathering();
  gathering.problems.push(...problems);
  const rules = sections.flatMap((section) => readRule(section, shown, gathering) ?? []);
  return { rules, problems: gathering.problems };
}

/** Names and numbers need no quotes. Other programs take what follows a blank and `;` or `#` for a comment. */
function asWritten(raw: string, at: string): string | Problem {
  if (!/["']|\s[;#]/.test(raw)) return raw;
  return { at, what: `"${raw}" must be a plain value`, hint: 'no quotes; a comment has a line of its own' };
}

function readRule(section: IniSection, shown: string, gathering: Gathering): HookRule | undefined {
  const at = `[${section.name}] in ${shown}:${section.line}`;
  if (section.name === '' || /[/:\s]/.test(section.name))
    gathering.refuse(at, 'this is no pattern of interface names', 'for example [tap*]');
  const seen = new Set<string>();
  let bridge: IfName | undefined;
  const more: { mtu?: number; isolated?: boolean } = {};
  for (const { key, text, line } of section.lines) {
    const place = `[${section.name}] ${key} in ${shown}:${line}`;
    if (seen.has(key)) gathering.refuse(place, `${key} is given twice`);
    seen.add(key);
    if (key === 'bridge') bridge = gathering.take(parseIfName(text, place));
    else if (key === 'mtu') {
      // 68: IPv4's least; 65521: the tun driver's most (linux/drivers/net/tun.c, MAX_MTU less the Ethernet header).
      const mtu = gathering.take(parseWhole(text, place, 68, 65521));
      if (mtu !== undefined) more.mtu = mtu;
    } else if (key === 'isolated') more.isolated = gathering.take(parseSwitch(text, place)) ?? false;
    else gathering.refuse(place, `there is no key "${key}"`, KEYS);
  }
  if (bridge === undefined && !seen.has('bridge'))
    gathering.refuse(at, 'the bridge is missing', 'bridge = br0');
  return bridge === undefined ? undefined : { pattern: section.name, bridge, ...more, at };
}

export function ruleFor(rules: readonly HookRule[], ifname: string): HookRule | undefined {
  return rules.find(({ pattern }) => fits(pattern, ifname));
}

/** `*`: any characters, also none; `?`: one. Everything else is itself. */
export function fits(pattern: string, name: string): boolean {
  const words = pattern
    .split(/([*?])/)
    .map((part) => (part === '*' ? '.*' : part === '?' ? '.' : part.replaceAll(/[$()+.[\\\]^{|}]/g, '\\$&')));
  return new RegExp(`^${words.join('')}$`, 'su').test(name);
}
