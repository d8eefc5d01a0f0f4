/** Rules that do not do what they seem to. */
import { ALL } from './decide.ts';
import type { AclInclude, AclPlace, AclRule, AclRules } from './rules.ts';

export interface AclWarning extends AclPlace {
  readonly text: string;
}

const at = ({ file, line }: AclPlace): string => `${file}:${line}`;

export function aclWarnings({ rules, includes, broken }: AclRules): readonly AclWarning[] {
  const denyAll = rules.find(({ verb, bridge }) => verb === 'deny' && bridge === ALL);
  const allowAll = rules.find(({ verb, bridge }) => verb === 'allow' && bridge === ALL);
  const found: AclWarning[] = [];
  for (const rule of rules) {
    const place = { file: rule.file, line: rule.line };
    if (rule.verb === 'allow') {
      const deny = rules.find(({ verb, bridge }) => verb === 'deny' && bridge === rule.bridge) ?? denyAll;
      if (deny !== undefined)
        found.push({ ...place, text: `"allow ${rule.bridge}" has no effect: ${defeats(deny)}` });
    }
    if (rule.verb === 'deny' && rule.bridge !== ALL && allowAll !== undefined && denyAll === undefined)
      found.push({
        ...place,
        text: `"deny ${rule.bridge}" beside "allow all" (${at(allowAll)}) can be got around by an alternative name of the interface; allow each bridge by its name instead`,
      });
    const odd = oddName(rule);
    if (odd !== undefined) found.push({ ...place, text: odd });
  }
  found.push(...includes.flatMap(includeWarning));
  found.push(
    ...broken.map(({ file, line, why }) => ({ file, line, text: `${why}; the rest of ${file} is not read` })),
  );
  return found;
}

function defeats(deny: AclRule): string {
  return `"deny ${deny.bridge}" (${at(deny)}) wins whatever the order`;
}

function oddName({ verb, bridge }: AclRule): string | undefined {
  if (bridge === '') return `"${verb}" without a name matches nothing`;
  if (/\s#/.test(bridge)) return `"${bridge}" is taken for a name: a comment needs a line of its own`;
  if (/[\s,/:*?"'\\]/.test(bridge))
    return `"${bridge}" is taken for one name, and no interface has it: one rule names one bridge, as it is`;
  if (bridge.toLowerCase() === ALL && bridge !== ALL)
    return `"${bridge}" is taken for a name; every bridge is "all" in small letters`;
  return undefined;
}

function includeWarning({ file, line, path, state }: AclInclude): AclWarning[] {
  const text =
    state === 'loop'
      ? `"include ${path}" goes in a circle: the helper may crash`
      : path.startsWith('/')
        ? undefined
        : `"include ${path}" is looked up where QEMU is started, not beside ${file}`;
  return text === undefined ? [] : [{ file, line, text }];
}
