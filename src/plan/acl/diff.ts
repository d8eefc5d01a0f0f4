/** What an edit changes, as `diff -u` says it; patch(1) takes it. */
import { fromAclBytes, toAclBytes } from '../../spec/acl/names.ts';

/** Of lists of bridges, which are bytes (latin1 here), for people. */
export function aclDiff(path: string, before: string | undefined, after: string): string {
  return fromAclBytes(unifiedDiff(toAclBytes(path), before, after));
}

/** Lines of context, as diff's own default. */
const CONTEXT = 3;

interface Line {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

/** @param before undefined: there is no such file yet. '' when nothing differs. */
export function unifiedDiff(path: string, before: string | undefined, after: string): string {
  if (before === after) return '';
  const lines = compare(splitLines(before ?? ''), splitLines(after));
  const from = before === undefined ? '/dev/null' : path;
  return [`--- ${from}`, `+++ ${path}`, ...hunks(lines)].join('\n');
}

/** With their ends: a line that lacks its end differs from one that has it. */
const splitLines = (text: string): readonly string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

/** By the longest common subsequence of what differs; these files are short. */
function compare(before: readonly string[], after: readonly string[]): readonly Line[] {
  let start = 0;
  while (start < Math.min(before.length, after.length) && before[start] === after[start]) start += 1;
  let tail = 0;
  const most = Math.min(before.length, after.length) - start;
  while (tail < most && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const same = (texts: readonly string[]): Line[] => texts.map((text) => ({ sign: ' ', text }));
  return [
    ...same(before.slice(0, start)),
    ...between(before.slice(start, before.length - tail), after.slice(start, after.length - tail)),
    ...same(before.slice(before.length - tail)),
  ];
}

function between(old: readonly string[], now: readonly string[]): readonly Line[] {
  const width = now.length + 1;
  const common = new Uint32Array((old.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i -= 1)
    for (let j = now.length - 1; j >= 0; j -= 1)
      common[i * width + j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    const [gone, come] = [old[i], now[j]];
    if (gone !== undefined && gone === come) {
      lines.push({ sign: ' ', text: gone });
      i += 1;
      j += 1;
    } else if (gone !== undefined && (come === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ sign: '-', text: gone });
      i += 1;
    } else if (come !== undefined) {
      lines.push({ sign: '+', text: come });
      j += 1;
    }
  }
  return lines;
}

function hunks(lines: readonly Line[]): readonly string[] {
  const near = lines.map((_, index) =>
    lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(({ sign }) => sign !== ' '),
  );
  const printed: string[] = [];
  let [oldLine, newLine] = [1, 1];
  for (let index = 0; index < lines.length; ) {
    if (near[index] !== true) {
      index += 1;
      oldLine += 1;
      newLine += 1;
      continue;
    }
    const next = near.indexOf(false, index);
    const hunk = lines.slice(index, next < 0 ? lines.length : next);
    const [olds, news] = [hunk.filter(({ sign }) => sign !== '+'), hunk.filter(({ sign }) => sign !== '-')];
    printed.push(
      `@@ -${range(oldLine, olds.length)} +${range(newLine, news.length)} @@`,
      ...hunk.map(printLine),
    );
    oldLine += olds.length;
    newLine += news.length;
    index += hunk.length;
  }
  return printed;
}

/** An empty range is counted from the line before it. */
function range(start: number, count: number): string {
  if (count === 1) return `${start}`;
  return `${count === 0 ? start - 1 : start},${count}`;
}

const printLine = ({ sign, text }: Line): string =>
  text.endsWith('\n') ? `${sign}${text.slice(0, -1)}` : `${sign}${text}\n\\ No newline at end of file`;
