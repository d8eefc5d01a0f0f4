/** An error of ours among QEMU's words: a script of QEMU's that was one of our hooks said it. */

export interface Sorted {
  /** Reasons, one each, without the frame that renderError() puts around them. */
  readonly words: readonly string[];
  /** What it told to type. */
  readonly todo: readonly string[];
  /** There was one. */
  readonly isOurs: boolean;
}

/** The inverse of renderError() (errors.ts). */
export function sortOwnErrors(lines: readonly string[]): Sorted {
  const words: string[] = [];
  const todo: string[] = [];
  let isOurs = false;
  let into: string[] | undefined;
  for (const line of lines) {
    const [, what] = /^qlaunch: (.* \[QL_\w+\])$/.exec(line) ?? [];
    const [, label, text = ''] = /^ {2}(because: |try: {5})(.*)$/.exec(line) ?? [];
    const [, more] = /^ {11}(.*)$/.exec(line) ?? [];
    if (what !== undefined) {
      isOurs = true;
      into = words;
      words.push(what);
    } else if (into !== undefined && label !== undefined) {
      into = label.startsWith('try') ? todo : words;
      into.push(text);
    } else if (into !== undefined && more !== undefined) into.push(`${into.pop() ?? ''}\n${more}`);
    else {
      into = undefined;
      words.push(line);
    }
  }
  return { words, todo, isOurs };
}
