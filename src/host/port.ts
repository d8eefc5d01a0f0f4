/** The one door to the machine: what the rest of the program may ask of it. */
import type { Argv } from '../plan/step.ts';

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
  /** An attribute in /sys or /proc: one write(2), errors as they are (errno in `code`). */
  write(path: string, value: string): Promise<void>;
}
