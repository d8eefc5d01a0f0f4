/**
 * Exit statuses of all programs. Documented in README.md, "Exit status".
 * 0 ok · 1 our bug · 2 usage or spec · 3 refused by a check, or findings · 4 the host or QEMU refused ·
 * 5 stuck or timed out · 6 done, with left-overs.
 */
export const EXIT = { ok: 0, bug: 1, usage: 2, refused: 3, host: 4, stuck: 5, leftovers: 6 } as const;
export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** What a user is told: what was refused, because of which facts, and what to type. One line each. */
export interface ErrorText {
  readonly what: string;
  readonly why?: readonly string[];
  readonly todo?: readonly string[];
}

/** A failure that has an explanation. Anything else that is thrown is a bug of ours (stack, status 1). */
export class QlaunchError extends Error {
  /** Stable, for scripts: `QL_SPEC`, `QL_STEP_REFUSED`, … */
  readonly code: string;
  readonly exit: ExitStatus;
  readonly why: readonly string[];
  readonly todo: readonly string[];

  constructor(code: string, exit: ExitStatus, text: ErrorText, options?: ErrorOptions) {
    super(text.what, options);
    this.name = 'QlaunchError';
    this.code = code;
    this.exit = exit;
    this.why = text.why ?? [];
    this.todo = text.todo ?? [];
  }
}

/** Terminal control bytes in echoed text (a tool's stderr, a file name) must not reach the terminal. */
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
export function printable(text: string): string {
  return text.replace(CONTROL, '\uFFFD');
}

/** The only maker of error text for people. No trailing newline. */
export function renderError(error: QlaunchError): string {
  const indent = (text: string): string => printable(text).split('\n').join('\n           ');
  return [
    `qlaunch: ${printable(error.message)} [${error.code}]`,
    ...error.why.map((fact) => `  because: ${indent(fact)}`),
    ...error.todo.map((cure) => `  try:     ${indent(cure)}`),
  ].join('\n');
}
