/** Rules of ufw, which outlive a boot: they are in its files. Each has a comment of ours, and goes by that. */
import { isOwnerMark } from '../owner.ts';
import { type Argv, DEADLINE_MS, type Step } from '../step.ts';
import type { Chain } from './ruleset.ts';

type UfwRule = readonly ['in' | 'out' | 'route', ...string[]];

/** Beside IPv4's addresses and names. */
export interface UfwNeeds {
  readonly ipv6: boolean;
  readonly tftp: boolean;
}

const HOOK = { in: 'input', out: 'output', route: 'forward' } as const;

/** What passes on to others is decided by our own table, which lets less pass. */
function rulesFor(bridge: string, { ipv6, tftp }: UfwNeeds): readonly UfwRule[] {
  return [
    ['in', 'on', bridge, 'to', 'any', 'port', '67', 'proto', 'udp'],
    ...(ipv6 ? [['in', 'on', bridge, 'to', 'any', 'port', '547', 'proto', 'udp'] as const] : []),
    ['in', 'on', bridge, 'to', 'any', 'port', '53'],
    ...(tftp ? [['in', 'on', bridge, 'to', 'any', 'port', '69', 'proto', 'udp'] as const] : []),
    ['out', 'on', bridge],
    ['route', 'in', 'on', bridge],
    ['route', 'out', 'on', bridge],
  ];
}

/** `$1` the comment, the rest: what `ufw` is told to delete the rule. */
const DELETE_RULE = [
  'comment=$1; shift',
  'added=$(ufw show added) || exit 1',
  'case $added in *"\'$comment\'"*) exec ufw --force "$@" ;; esac',
].join('\n');

/**
 * ufw has one rule of a kind: `allow` on top of somebody's `deny`, or of his `allow`, would make it ours (UFWRule.match() in
 * ufw/common.py). So nothing is said where there is one.
 * @param added as `ufw show added` prints them
 * @param dropped the hooks where ufw drops something
 */
export function ufwSteps(
  bridge: string,
  needs: UfwNeeds,
  mark: string,
  added: readonly string[],
  dropped: ReadonlySet<Chain['hook']>,
): readonly Step[] {
  const others = new Set(added.flatMap((line) => kindOf(line, mark) ?? []));
  return rulesFor(bridge, needs)
    .filter((rule) => dropped.has(HOOK[rule[0]]) && !others.has(rule.join(' ')))
    .map((rule) => {
      const comment = `${mark}/${rule.filter((word) => word !== bridge).join('-')}`;
      const [undo, words] = [told(rule, 'delete', 'allow'), told(rule, 'allow')];
      return {
        title: `let ufw allow ${rule.join(' ')}`,
        do: { run: ['ufw', ...words, 'comment', comment] },
        undo: { run: ['/bin/sh', '-c', DELETE_RULE, 'delete-rule', comment, ...undo], gone: [] },
        // Also where the bridge is gone by then.
        owns: { itself: `only a rule with the comment ${comment} is deleted` },
        deadlineMs: DEADLINE_MS,
        durable: true,
      };
    });
}

const told = ([kind, ...words]: UfwRule, ...verb: readonly [string, ...string[]]): Argv =>
  kind === 'route' ? ['route', ...verb, ...words] : [...verb, kind, ...words];

/** "ufw route deny in on lab0 log comment 'no'" is one of "route in on lab0". undefined: an earlier start of ours left it. */
function kindOf(line: string, mark: string): string | undefined {
  const [, rule = '', comment] = /^ufw (.*?)(?: comment '(.*)')?$/.exec(line) ?? [];
  if (isOwnerMark(comment) && comment?.startsWith(mark) !== true) return undefined;
  return rule.replace(/^(route )?(allow|deny|reject|limit) /, '$1').replace(/ log(-all)?(?= |$)/, '');
}
