import { didYouMean } from './did-you-mean.ts';
import type { Gathering, RawProp, RawValue } from './raw.ts';

/**
 * `head,key=value,key=value`, as QEMU's own options are written: a comma inside a value is doubled, everything else
 * stands for itself (util/qemu-option.c).
 */
export function splitOptions(value: RawValue): {
  readonly head: RawValue;
  readonly props: readonly RawProp[];
} {
  const [head = '', ...rest] = cutAtCommas(value.text);
  const props = rest.map((piece): RawProp => {
    const equals = piece.indexOf('=');
    const key = equals < 0 ? piece : piece.slice(0, equals);
    const text = equals < 0 ? '' : piece.slice(equals + 1);
    return { dir: value.dir, at: `${value.at} ${key}`, key, text, ...(equals < 0 ? { bare: true } : {}) };
  });
  return { head: { ...value, text: head }, props };
}

function cutAtCommas(text: string): string[] {
  const pieces: string[] = [];
  let piece = '';
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== ',') piece += text[i];
    else if (text[i + 1] === ',') {
      piece += ',';
      i++;
    } else {
      pieces.push(piece);
      piece = '';
    }
  }
  pieces.push(piece);
  // QEMU passes over a comma at the end.
  if (pieces.length > 1 && pieces.at(-1) === '') pieces.pop();
  return pieces;
}

/** What a key may be, and where its value goes. */
export type PropReaders = Readonly<Record<string, PropReader>>;
export interface PropReader {
  readonly repeatable?: true;
  /** Stores the value; false or undefined when it was refused, which it has said itself. */
  readonly read: (prop: RawProp) => unknown;
}

/** Hands every property to its reader; unknown, empty and repeated ones are refused. */
export function readProps(
  props: readonly RawProp[],
  readers: PropReaders,
  what: string,
  gathering: Gathering,
  hints: Readonly<Record<string, string>> = {},
): void {
  const seen = new Set<string>();
  for (const prop of props) {
    const reader = Object.hasOwn(readers, prop.key) ? readers[prop.key] : undefined;
    if (reader === undefined) {
      const near = didYouMean(prop.key, Object.keys(readers));
      const hint =
        (Object.hasOwn(hints, prop.key) ? hints[prop.key] : undefined) ?? (near && `did you mean "${near}"?`);
      gathering.refuse(prop.at, `${what} has no key "${prop.key}"`, hint);
    } else if (prop.bare) gathering.refuse(prop.at, `"${prop.key}" needs a value`, `${prop.key}=…`);
    else if (seen.has(prop.key) && !reader.repeatable)
      gathering.refuse(prop.at, `"${prop.key}" is given twice`);
    else reader.read(prop);
    seen.add(prop.key);
  }
}
