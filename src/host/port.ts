/** The one door to the machine: what the rest of the program may ask of it. */

import type { Argv, FileContent, FileOwner } from '../plan/step.ts';
import type { FileBefore } from '../plan/undo.ts';

export interface RunOptions {
  readonly stdin?: string;
  /** Past it the child gets SIGKILL and the result says timedOut. */
  readonly timeoutMs?: number;
  /** Added to the cleaned environment (LC_ALL=C, no NODE_OPTIONS, no NODE_EXTRA_CA_CERTS). */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface RunResult {
  /** Exit status, or null when a signal ended it or it could not be started. */
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

export interface Host {
  /** Never rejects because of the command: a refusal is a RunResult. No shell; LC_ALL=C. */
  run(argv: Argv, options?: RunOptions): Promise<RunResult>;
  /** undefined when the file is not there. The closing newline is cut off. */
  read(path: string): Promise<string | undefined>;
  /** An attribute in /sys or /proc: one write(2), errors as they are (errno in `code`, ETIMEDOUT past the deadline). */
  write(path: string, value: string, timeoutMs?: number): Promise<void>;
}

export interface FileStat {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  /** "dev:ino" */
  readonly inode: string;
}

/** Ordinary files. Errors as they are (errno in `code`). */
export interface Files {
  /** undefined when there is nothing. Links are not followed. */
  stat(path: string): Promise<FileStat | undefined>;
  /** Names, sorted; undefined when there is no such directory. */
  list(path: string): Promise<readonly string[] | undefined>;
  /** All that is needed to put a file back; undefined when there is none. */
  capture(path: string): Promise<FileBefore | undefined>;
  /** Hex, of a regular file; undefined when there is none. */
  sha256(path: string): Promise<string | undefined>;
  /** Writes `temp`, fsyncs it, renames it to `path`, fsyncs the directory. */
  place(path: string, temp: string, file: FileBefore): Promise<void>;
  /** The same for new content; the owner is the caller unless given. */
  placeNew(path: string, temp: string, file: FileContent): Promise<void>;
  /** false when there was nothing. */
  unlink(path: string): Promise<boolean>;
  mkdir(path: string, mode: number, owner?: FileOwner): Promise<void>;
  /** false when there was nothing; ENOTEMPTY when it is not empty. */
  rmdir(path: string): Promise<boolean>;
  rename(from: string, to: string): Promise<void>;
  /** The absolute path of a program. */
  which(program: string): Promise<string | undefined>;
}

/** What plans are run on. */
export interface Machine extends Host, Files {}

/** A directory of small files that only we write; each is replaced as a whole. Synchronous: an fsync has no deadline. */
export interface Store {
  /** Names, sorted. */
  list(): readonly string[];
  read(name: string): string | undefined;
  /** Atomic and on the disk when it returns. Throws as the system does (ENOSPC, EROFS). */
  replace(name: string, text: string): void;
  remove(name: string): void;
  /** Removes what a kill in the middle of the first `replace` of a name left. Under the host lock. */
  sweep(): void;
  /** For messages and scripts. */
  path(name: string): string;
}

/** One life of one process. A pid alone is used again. */
export interface ProcessId {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks since boot. */
  readonly start: number;
  readonly bootId: string;
  /** `readlink /proc/PID/ns/pid`: in another one the pid says nothing. */
  readonly pidns: string;
}

/** Where and when we are: what a journal is compared with. */
export interface World {
  readonly bootId: string;
  /** `readlink /proc/self/ns/net` */
  readonly netns: string;
  readonly self: ProcessId;
  alive(process: ProcessId): 'alive' | 'dead' | 'unknown';
  /** undefined when there is no such process any more. */
  process(pid: number): ProcessId | undefined;
}
