/** The texts of everything that can go wrong on a monitor. */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { QmpFramingError } from './framing.ts';
import type { QmpFailure } from './message.ts';

/** QMP serves one client at a time: the kernel accepts a second connection, QEMU looks at it after the first. */
export function busy(where: string, waitedMs: number): QlaunchError {
  return new QlaunchError('QL_QMP_BUSY', EXIT.refused, {
    what: `QEMU does not answer on ${where}`,
    why: [
      `connected, but no greeting within ${waitedMs} ms: a QMP monitor serves one client at a time, and another one holds it, or QEMU itself is stopped or stuck`,
    ],
    todo: [`fuser -v ${where}   # who holds it; then again when they have finished`],
  });
}

export function silent(where: string, waitedMs: number): QlaunchError {
  return new QlaunchError('QL_QMP_SILENT', EXIT.stuck, {
    what: `QEMU did not become ready within ${waitedMs} ms`,
    why: [`no greeting on ${where}`],
  });
}

export function unreachable(where: string, waitedMs: number, cause: Error): QlaunchError {
  const gone = 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED');
  const why = gone ? [`no QEMU listens there (${cause.message})`] : [cause.message];
  const what = `cannot reach QEMU on ${where}${waitedMs > 0 ? ` within ${waitedMs} ms` : ''}`;
  return new QlaunchError('QL_QMP_UNREACHABLE', EXIT.host, { what, why }, { cause });
}

export function notQmp(where: string, cause: QmpFramingError): QlaunchError {
  const why = [`${cause.message}: ${JSON.stringify(cause.line)}`];
  const text = { what: `${where} does not speak QMP`, why };
  return new QlaunchError('QL_QMP_PROTOCOL', EXIT.host, text, { cause });
}

export function closed(where: string, command?: string, cause?: Error): QlaunchError {
  const what = command
    ? `QEMU closed ${where} before it answered ${command}`
    : `QEMU closed ${where} before its greeting`;
  const text = { what, ...(cause ? { why: [cause.message] } : {}) };
  return new QlaunchError('QL_QMP_CLOSED', EXIT.host, text, ...(cause ? [{ cause }] : []));
}

export function late(where: string, command: string, deadlineMs: number): QlaunchError {
  return new QlaunchError('QL_QMP_TIMEOUT', EXIT.stuck, {
    what: `QEMU did not answer ${command} within ${deadlineMs} ms`,
    why: [
      `the monitor on ${where} is open, but QEMU's main loop does not serve it (stopped or stuck on I/O?)`,
    ],
  });
}

export function refused(command: string, failure: QmpFailure): QlaunchError {
  return new QlaunchError('QL_QMP_REFUSED', EXIT.host, {
    what: `QEMU refused ${command}`,
    why: [`${failure.class}: ${failure.desc}`],
  });
}
