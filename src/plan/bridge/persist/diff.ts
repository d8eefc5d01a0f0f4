/** What a plan would change in files that are there, as comments behind the plan's own lines. */
import type { Step } from '../../step.ts';

type Row = readonly [sign: ' ' | '-' | '+', line: string];

/** Around a change. */
const CONTEXT = 2;

/** @param now content by path; undefined: no such file */
export function renderDiffs(steps: readonly Step[], now: (path: string) => string | undefined): string {
  return steps
    .flatMap(({ do: action }) => {
      if (!('file' in action) || !action.file.startsWith('/etc/')) return [];
      const before = now(action.file);
      if (before === action.content) return [];
      const head = [`# --- ${before === undefined ? '/dev/null' : action.file}`, `# +++ ${action.file}`];
      return [...head, ...near(rowsOf(linesOf(before), linesOf(action.content)))];
    })
    .join('\n');
}

const linesOf = (text: string | undefined): readonly string[] =>
  text === undefined || text === '' ? [] : text.replace(/\n$/, '').split('\n');

/** The longest common sequence of lines; files of a network are short. */
function rowsOf(before: readonly string[], after: readonly string[]): readonly Row[] {
  const width = after.length + 1;
  const best = new Array<number>((before.length + 1) * width).fill(0);
  const at = (b: number, a: number): number => best[b * width + a] ?? 0;
  for (let b = before.length - 1; b >= 0; b -= 1)
    for (let a = after.length - 1; a >= 0; a -= 1)
      best[b * width + a] =
        before[b] === after[a] ? at(b + 1, a + 1) + 1 : Math.max(at(b + 1, a), at(b, a + 1));
  const rows: Row[] = [];
  let [b, a] = [0, 0];
  while (b < before.length || a < after.length) {
    const [old, young] = [before[b], after[a]];
    if (old !== undefined && old === young) {
      rows.push([' ', old]);
      [b, a] = [b + 1, a + 1];
    } else if (young === undefined || (old !== undefined && at(b + 1, a) >= at(b, a + 1))) {
      rows.push(['-', old ?? '']);
      b += 1;
    } else {
      rows.push(['+', young]);
      a += 1;
    }
  }
  return rows;
}

function near(rows: readonly Row[]): readonly string[] {
  const isNear = (index: number): boolean =>
    rows.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(([sign]) => sign !== ' ');
  return rows.flatMap(([sign, line], index) => {
    if (isNear(index)) return [`# ${sign}${line}`];
    return index > 0 && isNear(index - 1) ? ['# …'] : [];
  });
}
