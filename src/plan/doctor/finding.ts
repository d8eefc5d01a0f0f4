/** What one look of `qlaunch doctor` found. Plain data: printed, `--json`, and what `--fix` works from. */
import type { Step } from '../step.ts';

export type FindingState = 'ok' | 'warning' | 'problem';

/** What `--fix` does about it. */
export type Fix =
  /** Journaled as one change that stays until `qlaunch undo`. Must not depend on other fixes. */
  | { readonly steps: readonly Step[] }
  /** `qlaunch recover`: take back what crashed runs left. */
  | { readonly recover: true };

export interface Finding {
  /** Stable, for scripts: "tun-device", "acl-file"; unique within one run together with `about`. */
  readonly id: string;
  /** Which one, when the same check looks at several things: a bridge's name. */
  readonly about?: string;
  readonly state: FindingState;
  /** One line: what is so. */
  readonly fact: string;
  /** What to type, as in QlaunchError.todo. */
  readonly cure?: readonly string[];
  readonly fix?: Fix;
}
