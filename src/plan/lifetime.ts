/** How long a change of the host stays. */
export type Lifetime =
  /** As long as this VM's QEMU. */
  | { readonly vm: string }
  /** As long as this network is started. */
  | { readonly net: string }
  /** Until somebody says `qlaunch undo ID`. */
  | { readonly untilUndone: string }
  /** For good; taken back only when its own plan fails. */
  | { readonly permanent: true };

/** "vm web", "net default", "until undone", "permanent". */
export function renderLifetime(lifetime: Lifetime): string {
  if ('vm' in lifetime) return `vm ${lifetime.vm}`;
  if ('net' in lifetime) return `net ${lifetime.net}`;
  if ('untilUndone' in lifetime) return 'until undone';
  return 'permanent';
}
