/** An undo as the journal holds it: self-contained, it needs no code of the version that wrote it. */
import type { Argv, FileOwner, FilePath, HostPath } from './step.ts';

/** What proves that a thing is ours. */
export type Owns =
  | {
      readonly link: string;
      /** Counts where there is no `alias`, which alone decides: the user of a tap may change its address. */
      readonly mac?: string;
      readonly alias?: string;
      /** Of a change of the address itself: where this is found instead of `mac`, it was taken back already. */
      readonly macBefore?: string;
    }
  /** `nft` names a table with its family: "inet qlaunch_default". */
  | { readonly nft: string; readonly comment: string }
  /** The undo itself touches only what is ours, known by this: it may be run whenever, and again. */
  | { readonly itself: string };

/** A file as it was. `base64` when the content is not UTF-8 text. */
export type FileBefore =
  | {
      readonly content: string;
      readonly base64?: true;
      readonly mode: number;
      readonly owner: FileOwner;
      readonly mtimeMs: number;
      /** It gets the extended attributes of the file that it replaces, which got its. */
      readonly keep?: true;
    }
  | { readonly linkTo: string };

/** An interface as it was before its device changed hands. */
export interface NetdevBefore {
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  readonly master?: string;
  /** "192.0.2.1/24", those that somebody set by hand. */
  readonly addresses: readonly string[];
}

export type SettledUndo =
  | { readonly nothing: string }
  /** argv[0] is absolute. */
  | { readonly run: Argv; readonly stdin?: string; readonly gone: readonly string[] }
  /** `value` is put back only where `expect` is found. */
  | { readonly write: HostPath; readonly value: string; readonly expect: string }
  /** From `to` (null: none), which is what we gave it, back to `driver`; left alone where it has a third one. */
  | {
      readonly rebind: string;
      readonly to: string | null;
      readonly driver: string | null;
      /** Loaded when the driver is not there any more. */
      readonly module?: string;
      /** '' none. */
      readonly override: string;
      readonly netdevs: readonly NetdevBefore[];
    }
  /** `user` leaves the shared record `unshare`; the last one puts the attribute back. */
  | { readonly unshare: string; readonly user: string }
  /** The content with this hash is replaced by `before`, or removed when there was none. */
  | {
      readonly unfile: FilePath;
      readonly temp: FilePath;
      readonly sha256: string;
      readonly before: FileBefore | null;
    }
  /** Removed only if it is empty and the very directory we made: `inode` ("dev:ino") is learned in between. */
  | { readonly rmdir: FilePath; readonly temp: FilePath; readonly inode?: string };

export type SettledOf<Key extends string> = Extract<SettledUndo, Readonly<Record<Key, unknown>>>;
