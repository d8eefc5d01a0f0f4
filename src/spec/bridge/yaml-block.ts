/**
 * YAML as netplan's files are written: block mappings, read for the places of their keys, so that some can be taken
 * out with all else as it was. What is behind a key is text that nobody looks into, but for one line of {flow}.
 */

export interface Block {
  readonly key: string;
  /** What is behind the colon in its line, without a remark. */
  readonly inline: string;
  readonly indent: number;
  /** Its lines: [from, to), remarks after the last of its content excluded. */
  readonly from: number;
  readonly to: number;
  readonly children: readonly Block[];
}

/** A piece of text that is not read: what it is, and in which line (from 1). */
export interface NotRead {
  readonly line: number;
  readonly why: string;
}

/** network: / ethernets: / a NIC: / its keys. */
const READ_DEPTH = 3;

const KEY = /^( *)("[^"]*"|'[^']*'|[^\s#"'{[&*!|>%@`-][^:#]*?|-[^\s:][^:#]*?)\s*:(?:\s+(.*))?$/;

export function readBlocks(text: string): readonly Block[] | NotRead {
  const lines = text.split('\n');
  const odd = lines.findIndex((line, at) => /^ *\t/.test(line) || (at > 0 && /^(---|\.\.\.)/.test(line)));
  if (odd >= 0 && lines.slice(0, odd).some((line) => isContent(line)))
    return { line: odd + 1, why: 'more than one document, or tabs' };
  return blocksIn(lines, { from: 0, to: lines.length }, -1, 0);
}

const isContent = (line: string): boolean => !/^\s*(#.*)?$/.test(line) && !/^(---|%)/.test(line);
const indentOf = (line: string): number => line.length - line.trimStart().length;

function blocksIn(
  lines: readonly string[],
  { from: start, to: end }: { from: number; to: number },
  above: number,
  depth: number,
): readonly Block[] | NotRead {
  const found: Block[] = [];
  let indent: number | undefined;
  for (let at = start; at < end; at += 1) {
    const line = lines[at] ?? '';
    if (!isContent(line)) continue;
    const [, spaces = '', key, rest = ''] = KEY.exec(line) ?? [];
    if (key === undefined || spaces.length <= above || (indent ?? spaces.length) !== spaces.length)
      return { line: at + 1, why: 'no mapping in block style' };
    indent = spaces.length;
    const to = endOf(lines, at, end, indent);
    const inline = rest.replace(/(^|\s)#.*$/, '').trim();
    const isMap = inline === '' && lines.slice(at + 1, to).some((one) => isContent(one));
    const firstChild = lines.slice(at + 1, to).find((one) => isContent(one)) ?? '';
    const inner =
      isMap && !/^ *-( |$)/.test(firstChild) ? blocksIn(lines, { from: at + 1, to }, indent, depth + 1) : [];
    if (depth < READ_DEPTH - 1 && /^([&*!|>]|\{.*\S.*\}$)/.test(inline))
      return { line: at + 1, why: 'no mapping in block style' };
    // Deeper, what holds no mapping is nobody's to look into.
    const children = 'why' in inner ? [] : inner;
    if ('why' in inner && depth < READ_DEPTH) return inner;
    found.push({ key: unquoted(key), inline, indent, from: at, to, children });
    at = to - 1;
  }
  return found;
}

function endOf(lines: readonly string[], at: number, end: number, indent: number): number {
  let to = at + 1;
  for (let next = at + 1; next < end; next += 1) {
    const line = lines[next] ?? '';
    if (!isContent(line)) continue;
    const isItem = indentOf(line) === indent && /^ *-( |$)/.test(line);
    if (indentOf(line) <= indent && !isItem) break;
    to = next + 1;
  }
  return to;
}

const unquoted = (text: string): string => /^(["'])(.*)\1$/.exec(text)?.[2] ?? text;

/** "{dhcp4: true, addresses: [a, b]}": its pairs; undefined when it is no such thing. */
export function readFlow(text: string): readonly (readonly [key: string, value: string])[] | undefined {
  const [, inner] = /^\{(.*)\}$/.exec(text) ?? [];
  if (inner === undefined) return undefined;
  const parts: string[] = [''];
  let depth = 0;
  let quote = '';
  for (const char of inner) {
    if (quote !== '') quote = char === quote ? '' : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (char === '{' || char === '[') depth += 1;
    else if (char === '}' || char === ']') depth -= 1;
    if (char === ',' && depth === 0 && quote === '') parts.push('');
    else parts.push(`${parts.pop() ?? ''}${char}`);
  }
  const pairs = parts
    .filter((part) => part.trim() !== '')
    .map((part) => /^\s*("[^"]*"|'[^']*'|[^\s:{}[\],]+)\s*:\s+(.*?)\s*$/s.exec(part) ?? []);
  if (depth !== 0 || quote !== '' || pairs.some((pair) => pair.length === 0)) return undefined;
  return pairs.map(([, key = '', value = '']) => [unquoted(key), value] as const);
}

/** A key below a key: ["match", "macaddress"]; quotes are off. Of what is written in flow as well. */
export function textAt(block: Block, [first, ...rest]: readonly string[]): string | undefined {
  if (first === undefined) return unquoted(block.inline);
  const child = block.children.find(({ key }) => key === first);
  if (child !== undefined) return textAt(child, rest);
  const flow = readFlow(block.inline)?.find(([key]) => key === first)?.[1];
  if (flow === undefined) return undefined;
  return rest.length === 0 ? unquoted(flow) : textAt({ ...block, children: [], inline: flow }, rest);
}
