/** Why a QEMU that runs did not become ready, as far as its children tell. */
import { QlaunchError } from '../../errors.ts';
import { qemuPid } from '../../host/vm/alive.ts';
import { childrenOf } from '../../host/vm/children.ts';
import { shellLine } from '../../plan/shell.ts';

/** QL_QMP_SILENT with what QEMU waits for; any other error as it is. To be asked before QEMU is killed. */
export function explainSilence(error: unknown, dir: string): unknown {
  if (!(error instanceof QlaunchError) || error.code !== 'QL_QMP_SILENT') return error;
  const pid = qemuPid(dir);
  // The first is QEMU's own child; the others are what that one waits for.
  const children = pid === undefined ? [] : childrenOf(pid).filter(({ argv }) => argv.length > 0);
  if (children.length === 0) return error;
  return new QlaunchError(error.code, error.exit, {
    what: error.message,
    why: [
      `QEMU waits for what it has started: ${children.map((one) => `${shellLine(one.argv)} (pid ${one.pid})`).join(', ')}`,
      ...error.why,
    ],
    todo: ['--net tap:NAME,script=no   # if it is a network script: without it', ...error.todo],
  });
}
