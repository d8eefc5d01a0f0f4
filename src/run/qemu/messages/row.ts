/** One known message of QEMU or of a program that QEMU runs. */
export interface MessageRow {
  /** Matched against one line of stderr, its time stamp cut off. Named groups fill the texts: `$<name>`. */
  readonly pattern: RegExp;
  /**
   * Why, in one sentence. Besides the pattern's groups: `$<bridge>` and `$<ifname>` from QEMU's own command line as it
   * quotes it in its messages, `$<user>`.
   */
  readonly cause: string;
  /** What to type or change. */
  readonly cure: readonly string[];
}
