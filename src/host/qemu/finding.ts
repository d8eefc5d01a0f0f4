/** Something that would make QEMU fail, found before it is started. */
import { type ErrorText, EXIT, QlaunchError } from '../../errors.ts';

export interface Finding extends ErrorText {
  /** As in QlaunchError: QL_DISK_MISSING, QL_PORT_IN_USE, … */
  readonly code: string;
}

export function isFinding(value: object): value is Finding {
  return 'code' in value && 'what' in value;
}

/** All of them at once: whoever repairs one should not meet the next one after another start. */
export function refusal(findings: readonly [Finding, ...Finding[]]): QlaunchError {
  const [first, ...others] = findings;
  if (others.length === 0) return new QlaunchError(first.code, EXIT.refused, first);
  return new QlaunchError('QL_PREFLIGHT', EXIT.refused, {
    what: `${findings.length} things are in the way`,
    why: findings.map(({ what, why = [], code }) => `${[what, ...why].join(': ')} [${code}]`),
    todo: [...new Set(findings.flatMap(({ todo = [] }) => todo))],
  });
}
