/** What everything that changes the host is given. */
import type { Machine, Store, World } from '../host/port.ts';
import type { Stores } from './journal/journal.ts';

export interface Engine {
  readonly machine: Machine;
  readonly stores: Stores;
  /** Records of shared attributes; volatile. */
  readonly shared: Store;
  /** Changes that wait for `qlaunch confirm`: scripts and deferred steps; volatile. */
  readonly confirm: Store;
  /** Undo scripts of VMs that run, for their guards; volatile. */
  readonly undo: Store;
  readonly world: World;
  /** The host lock's file, for scripts that must do without us. */
  readonly lockPath: string;
  /** "qlaunch 0.1.0" */
  readonly tool: string;
  nowMs(): number;
  /** 12 hex digits, never the same twice. */
  newToken(): string;
  /** The host lock, around facts + plan + execute, or around taking back. Not reentrant. */
  locked<T>(what: string, work: () => Promise<T>): Promise<T>;
}
