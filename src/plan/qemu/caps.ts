/** What a planner asks of one QEMU. src/host/qemu/caps asks the binary itself and knows more. */
export interface QemuCaps {
  readonly version: { readonly major: number; readonly minor: number; readonly micro: number };
  /** What -netdev takes and this binary really has. */
  readonly netdevs: ReadonlySet<string>;
  /** What -device takes, aliases too. */
  readonly devices: ReadonlySet<string>;
  /** What -machine takes, aliases too. */
  readonly machines: ReadonlySet<string>;
  /** What -display takes; modules that are not installed left out. */
  readonly displays: ReadonlySet<string>;
  /** Answers of the QMP schema, by the names of src/host/qemu/caps/caps.ts. */
  readonly features: ReadonlySet<string>;
}

export function atLeast(caps: QemuCaps, major: number, minor: number): boolean {
  return caps.version.major > major || (caps.version.major === major && caps.version.minor >= minor);
}
