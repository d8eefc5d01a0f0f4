/** `nft list ruleset`, as text: nft -j 1.0.6 leaves out the comments of tables and the matches of iptables-nft. */

/** Of the families ip, ip6 and inet: what routed packets and those to this host meet. */
export interface Chain {
  readonly family: 'ip' | 'ip6' | 'inet';
  readonly table: string;
  readonly name: string;
  /** Of a base chain: "input", "forward", …; filters only. */
  readonly hook?: string;
  readonly policy: 'accept' | 'drop';
  /** One rule each, without the numbers of its counters. */
  readonly rules: readonly string[];
  /** Of each rule, where they were asked for (`nft -a`). */
  readonly handles?: readonly string[];
  /** The table carries our mark. */
  readonly ours: boolean;
}

/** Tables as nft prints them: a tab for chains, two for their lines, more for what a line goes on with. */
export function parseRuleset(text: string): readonly Chain[] {
  return text.split(/^(?=table )/m).flatMap((part) => {
    const [, family, table] = /^table (ip|ip6|inet) (\S+) \{/.exec(part) ?? [];
    if (family === undefined || table === undefined) return [];
    const ours = /^\tcomment "qlaunch:/m.test(part);
    return [...part.matchAll(/^\tchain (\S+) \{(?: # handle \d+)?\n((?:\t\t.*\n|\n)*)\t\}/gm)].map(
      ([, name = '', body = '']) => ({
        family: family as Chain['family'],
        table,
        name,
        ours,
        ...chainBody(joined(body)),
      }),
    );
  });
}

const HANDLE = / # handle (\d+)$/;

function chainBody(lines: readonly string[]): Pick<Chain, 'hook' | 'policy' | 'rules' | 'handles'> {
  const [, type, hook, policy] = lines
    .map((line) => /^type (\S+) hook (\S+) .*policy (accept|drop);/.exec(line))
    .find((match) => match !== null) ?? [undefined];
  const printed = lines.filter((line) => !/^(type \S+ hook|comment ")/.test(line));
  const handles = printed.flatMap((line) => HANDLE.exec(line)?.[1] ?? []);
  const rules = printed.map((line) =>
    line
      .replace(HANDLE, '')
      .replace(/counter packets \d+ bytes \d+ ?/g, '')
      .trim(),
  );
  return {
    policy: policy === 'drop' ? 'drop' : 'accept',
    rules,
    ...(handles.length === 0 ? {} : { handles }),
    ...(type === 'filter' && hook !== undefined ? { hook } : {}),
  };
}

/** A set of many elements is printed on several lines. */
function joined(body: string): readonly string[] {
  const lines: string[] = [];
  let open = false;
  for (const line of body.split('\n').map((one) => one.trim())) {
    if (line === '') continue;
    if (open) lines.push(`${lines.pop() ?? ''} ${line}`);
    else lines.push(line);
    const bare = (lines.at(-1) ?? '').replace(/"[^"]*"/g, '');
    open = bare.split('{').length > bare.split('}').length;
  }
  return lines;
}
