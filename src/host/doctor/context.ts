import type { Host } from '../port.ts';
import type { Identity } from '../vm/user.ts';

/** Who asks, and for whom QEMU would run. */
export interface DoctorContext {
  readonly host: Pick<Host, 'run' | 'read'>;
  readonly who: Identity;
  readonly env: NodeJS.ProcessEnv;
}
