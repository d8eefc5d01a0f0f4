/** One known message of QEMU or of a program that QEMU runs. */
export interface MessageRow {
  /** Matched against one line of stderr, its time stamp cut off. Named groups fill the texts: `$<name>`. */
  readonly pattern: RegExp;
  /**
   * Why, in one sentence. Besides the pattern's groups: `$<bridge>`, `$<ifname>`, `$<helper>` and `$<image>` from
   * QEMU's own command line as it quotes it in its messages, `$<user>`.
   */
  readonly cause: string;
  /**
   * What to type or change; remarks stand behind ` #`. Values are quoted for a shell. A line whose value is not known
   * is left out.
   */
  readonly cure: readonly string[];
  /** The row of `qlaunch doctor` that looks at this (run/doctor/checks.ts). */
  readonly check?: string;
}

/** A tap that QEMU's user may open: it works whatever was wrong with the way QEMU was to get one. */
export const OWN_TAP: readonly string[] = [
  'sudo ip tuntap add dev $<ifname> mode tap user $<user> && sudo ip link set $<ifname> up',
  'sudo ip link set $<ifname> master $<bridge>   # into its bridge',
  '--net tap:$<ifname>,script=no   # then',
];
