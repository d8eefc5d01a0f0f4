/** What a user wrote, still as text, each piece with the place it came from. */
export interface RawValue {
  readonly text: string;
  /** '--memory', '[vm] memory in web.ini', 'built-in default', … Printed in messages and by `config show`. */
  readonly at: string;
}

/** One mistake: where it is and what is wrong with it, without a closing period. */
export interface Problem {
  readonly at: string;
  readonly what: string;
  /** What to write instead, if there is one answer. */
  readonly hint?: string;
}
