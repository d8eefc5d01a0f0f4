/** What every disk command needs. */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { Host } from '../../host/port.ts';
import { findBeside } from '../../host/qemu/find.ts';
import type { ImageTools } from '../../host/qemu/images.ts';
import { installLine } from '../../host/qemu/install.ts';
import { vmDirs } from '../../host/vm/dirs.ts';
import { dropPrivileges } from '../../host/vm/spawn.ts';
import type { Identity } from '../../host/vm/user.ts';
import type { Argv } from '../../plan/step.ts';

export interface DiskTools extends ImageTools {
  readonly qemuImg: string;
  readonly stateDir: string;
}

/** Errors: QL_QEMU_IMG_MISSING. */
export function diskTools(host: Pick<Host, 'run'>, who: Identity, env: NodeJS.ProcessEnv): DiskTools {
  const qemuImg = findBeside(undefined, 'qemu-img', env['PATH']);
  if (qemuImg === undefined)
    throw new QlaunchError('QL_QEMU_IMG_MISSING', EXIT.host, {
      what: 'qemu-img is not installed',
      todo: [installLine('qemu-img')],
    });
  return { host, qemuImg, runAs: dropPrivileges(who), stateDir: vmDirs(who, env).state };
}

/** qemu-img on a large raw file system may write for a while; it is never left hanging for ever. */
const DEADLINE_MS = 10 * 60_000;

/** Errors: QL_QEMU_IMG with qemu-img's own words. */
export async function runQemuImg({ host, runAs }: DiskTools, argv: Argv, what: string): Promise<void> {
  const result = await host.run([...runAs, ...argv] as unknown as Argv, { timeoutMs: DEADLINE_MS });
  if (result.status === 0) return;
  const late = `no end within ${DEADLINE_MS / 60_000} minutes`;
  throw new QlaunchError('QL_QEMU_IMG', result.timedOut ? EXIT.stuck : EXIT.host, {
    what,
    why: [result.timedOut ? late : result.stderr.trim()],
  });
}
