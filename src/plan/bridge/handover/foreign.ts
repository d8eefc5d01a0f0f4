/**
 * What is on this host and on no link. systemd-networkd drops all of it that is in none of its files when it takes a
 * link over (ManageForeignRoutes=, ManageForeignRoutingPolicyRules= in networkd.conf(5)), whoever made it.
 */
import { batchText } from '../../words.ts';
import { cannotSay } from '../rename-rule.ts';
import { type Route, routeWords } from '../route.ts';
import { type Rule, ruleWords } from '../rule.ts';

/** Both without what the kernel made by itself. */
export interface Foreign {
  readonly rules: readonly Rule[];
  readonly routes: readonly Route[];
}

const LINKLESS: ReadonlySet<unknown> = new Set(['blackhole', 'unreachable', 'prohibit', 'throw']);

const isLinkless = ({ row }: Route): boolean => LINKLESS.has(row['type']) && row['protocol'] !== 'kernel';

/**
 * Lines for PUT: each is refused by the kernel where it is there already. With `from` as `to`.
 * Throws QL_CANNOT_MOVE (exit 3).
 */
export function foreignText({ rules, routes }: Foreign, from: string, to: string): string {
  const lines = [
    ...rules.map((rule) => {
      const { l3mdev, ...row } = rule.row;
      const words = ruleWords({ ...rule, row }, from, to);
      if (words === undefined) throw cannotSay(rule);
      return {
        family: rule.family,
        words: ['rule', 'add', ...words, ...(l3mdev === undefined ? [] : ['l3mdev'])],
      };
    }),
    ...routes.filter(isLinkless).map((route) => {
      const said = routeWords(route, from, to);
      return { family: route.family, words: ['route', 'add', ...('words' in said ? said.words : [])] };
    }),
  ];
  return lines
    .map(({ family, words }) => `${family === 'inet6' ? IPV6 : ''}${batchText([{ words }])}`)
    .join('');
}

/** A rule says its family nowhere, and a line of a batch has no options. */
const IPV6 = '-6 ';

/** A function for sh: what is missing of $batch. */
export const PUT: string = [
  'put() {',
  `  printf '%s\\n' "$batch" | sed '/^${IPV6}/d' | ip -force -batch -`,
  `  printf '%s\\n' "$batch" | sed -n 's/^${IPV6}//p' | ip -6 -force -batch -`,
  '} > /dev/null 2>&1',
].join('\n');
