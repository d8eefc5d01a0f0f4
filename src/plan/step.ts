/**
 * What a plan is made of. Everything here is plain data (JSON without loss): the same steps are printed by
 * `--dry-run`, compared by golden tests, journaled, and run.
 */
import type { Owns } from './undo.ts';

/** A program and its arguments; no shell ever reads them. */
export type Argv = readonly [string, ...string[]];

/** The attributes that may ever be written. Anything else does not type-check, and is refused in a journal. */
export type HostPath =
  | `/proc/sys/net/${string}`
  | `/sys/class/net/${string}`
  | `/sys/bus/pci/${string}`
  | `/sys/module/${string}`;

/** An absolute path of an ordinary file or directory. */
export type FilePath = `/${string}`;

export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

export interface FileContent {
  readonly content: string;
  /** The content is not UTF-8 text, and is written down so. */
  readonly base64?: true;
  readonly mode: number;
  readonly owner?: FileOwner;
  /** It gets the extended attributes of the file that it replaces: access list, SELinux label, user's own. */
  readonly keep?: true;
}

/** Tools that read one command per line from stdin with `-batch -`. */
type BatchTool = 'ip' | 'bridge';

/** One line of a batch: its words without the tool's name. It has its own undo: a batch is no transaction. */
export interface BatchLine {
  /** Fits after "could not". */
  readonly title: string;
  readonly words: Argv;
  readonly undo: Undo;
  readonly owns?: Owns;
}

/** One atomic effect, or a batch of them. Told apart by their first key. */
export type Action =
  | { readonly run: Argv; readonly stdin?: string }
  | { readonly batch: BatchTool; readonly lines: readonly BatchLine[] }
  /** One write(2). `readsAs` is what the kernel shows afterwards when that is not `value` itself. */
  | { readonly write: HostPath; readonly value: string; readonly readsAs?: string }
  /** An attribute that other programs and other VMs use as well: see SHARED in sysctl.ts. */
  | { readonly share: HostPath; readonly value: string }
  /** A PCI function, by its address, from its driver to this one; null: to none. */
  | { readonly rebind: string; readonly to: string | null }
  /** A kernel module; one that was loaded before stays. */
  | { readonly load: string }
  /** Whole content, put in place by rename: a reader sees the old file or the new one. */
  | ({ readonly file: FilePath } & FileContent)
  /** A directory that should be there. One that was there before stays as it is. */
  | { readonly mkdir: FilePath; readonly mode: number; readonly owner?: FileOwner };

export type ActionOf<Key extends string> = Extract<Action, Readonly<Record<Key, unknown>>>;

/** How a step is taken back, as a planner says it. The executor settles it (undo.ts) before it is journaled. */
export type Undo =
  /** Explicitly nothing, because of this. */
  | { readonly nothing: string }
  /** Put back what is found right before the step: for write, share, rebind, load, file and mkdir. */
  | { readonly restore: true }
  /** `gone`: pieces of stderr that mean "was already taken back". */
  | { readonly run: Argv; readonly stdin?: string; readonly gone: readonly string[] }
  /** Of a batch: every line has its own. */
  | { readonly eachLine: true };

export interface Step {
  /** An imperative without a period; fits after "could not". */
  readonly title: string;
  readonly do: Action;
  readonly undo: Undo;
  /** How the made thing is recognised as ours. Without it a step of unknown outcome is never undone by `run`. */
  readonly owns?: Owns;
  /** Past it the action is killed and its outcome unknown; the same for the undo. */
  readonly deadlineMs: number;
  /** The effect of a `run` outlives a reboot. Files and directories outside /run always do. */
  readonly durable?: true;
}

/** A stage that only the kernel can complete: planned from facts read after the steps before it. */
interface Stage<Facts> {
  /** Why it waits: "the kernel chooses the addresses of the virtual functions". */
  readonly waitsFor: string;
  /** What `--dry-run` shows, with placeholders such as `<VF0>`. Never run. */
  readonly preview: readonly Step[];
  readonly plan: (facts: Facts) => Plan<Facts>;
}

export interface Plan<Facts = never> {
  readonly steps: readonly Step[];
  readonly next?: Stage<Facts>;
}

/** For commands that only talk to the kernel. */
export const DEADLINE_MS = 10_000;

export type { Owns };
