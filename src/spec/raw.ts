/** What a user wrote, still as text, each piece with the place it came from. */
import type { KeyName } from './keys.ts';

/** The place of what nobody wrote. */
export const BUILT_IN = 'built-in default';

export interface RawValue {
  readonly text: string;
  /** '--memory', '[vm] memory in web.ini:3', 'built-in default', … Printed in messages. */
  readonly at: string;
  /** `at` with the whole path of its file. */
  readonly from?: string;
  /** Where a relative path starts: the profile's folder, or the current one for the command line. Absolute. */
  readonly dir: string;
}

/** `key = text` of a section, or of `--net`/`--disk` once it is cut at its commas. */
export interface RawProp extends RawValue {
  readonly key: string;
  /** Written without `=`. */
  readonly bare?: boolean;
}

/** A disk or a NIC: in the short form of the command line, or key by key. */
export type RawDevice =
  | { readonly short: RawValue }
  | {
      readonly at: string;
      readonly dir: string;
      readonly props: readonly RawProp[];
      readonly section?: string;
    };

/** Everything that was said about one VM, the higher source's word first: see readSources(). */
export interface RawVm {
  /** By key; built-in defaults are not in it. Of `net` and `disk`: nothing, they are devices. */
  readonly values: ReadonlyMap<KeyName, readonly RawValue[]>;
  readonly disks: readonly RawDevice[];
  /** Empty: the default network. */
  readonly nets: readonly RawDevice[];
  /** QEMU's own arguments after `--`. */
  readonly extra: readonly string[];
  /** Absolute path of the profile or image that names the VM. */
  readonly named?: string;
  /** Mistakes in the form of the files: reported together with those in the values. */
  readonly problems: readonly Problem[];
  /** What the files say, each by itself: also values that a higher source has taken the place of. */
  readonly files: readonly RawFile[];
}

type RawFile = Pick<RawVm, 'values' | 'disks' | 'nets'>;

/** One mistake: where it is and what is wrong with it, without a closing period. */
export interface Problem {
  readonly at: string;
  readonly what: string;
  /** What to write instead, if there is one answer. */
  readonly hint?: string;
}

export function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'at' in value && 'what' in value;
}

/** Takes the good values and remembers what was wrong with the others. */
export class Gathering {
  readonly problems: Problem[] = [];

  take<T>(result: T | Problem): T | undefined {
    if (!isProblem(result)) return result;
    this.problems.push(result);
    return undefined;
  }

  refuse(at: string, what: string, hint?: string): undefined {
    this.problems.push({ at, what, ...(hint === undefined ? {} : { hint }) });
    return undefined;
  }
}
