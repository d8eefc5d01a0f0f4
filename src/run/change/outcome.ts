/** How one action ended, in the three ways that matter for taking back. */
import type { RunResult } from '../../host/port.ts';

export type Outcome =
  | { readonly kind: 'done' }
  /** It was not made, and is not to be undone. */
  | { readonly kind: 'refused'; readonly why: string }
  /** Killed, timed out, or failed where part of it may have been made. */
  | { readonly kind: 'unsure'; readonly why: string; readonly timedOut: boolean };

export type Failure = Exclude<Outcome, { kind: 'done' }>;

export const DONE: Outcome = { kind: 'done' };

export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export const errorCode = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/**
 * A status below 128 is the tool's own "no". A signal, or the status by which shells report one, tells nothing
 * about how far it came. Neither status nor signal: it could not be started.
 */
export function commandOutcome(result: RunResult, deadlineMs: number): Outcome {
  const said = result.stderr.trim();
  if (result.timedOut)
    return { kind: 'unsure', why: `no answer within ${deadlineMs / 1000} s`, timedOut: true };
  if (result.status === 0) return DONE;
  if (result.status !== null && result.status < 128)
    return { kind: 'refused', why: said || `it ended with status ${result.status}` };
  if (result.status === 255) return { kind: 'refused', why: said || 'it ended with status 255' };
  if (result.status === null && result.signal === null)
    return { kind: 'refused', why: said || 'it could not be started' };
  return {
    kind: 'unsure',
    why: `it was ended by ${result.signal ?? `status ${result.status}`}`,
    timedOut: false,
  };
}

/** White space in an attribute is not part of its value: tcp_rmem is written with blanks and read with tabs. */
export const sameValue = (a: string, b: string): boolean =>
  a.trim().split(/\s+/).join(' ') === b.trim().split(/\s+/).join(' ');
