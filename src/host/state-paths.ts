/** Where our state lives. Each place can be moved by one variable: tests, chroots, several worlds on one machine. */
import { join } from 'node:path';

export interface StatePaths {
  /** Void after a reboot. /run/qlaunch */
  readonly runtime: string;
  /** /var/lib/qlaunch */
  readonly state: string;
  /** /etc/qlaunch */
  readonly config: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Root: /run, /var/lib, /etc. Anybody else: below XDG_STATE_HOME, where even the volatile part is, per boot;
 * XDG_RUNTIME_DIR may be unset, and is wiped at logout while a VM lives on.
 */
export function statePaths(env: Environment, uid: number, bootId: string): StatePaths {
  const home = env['HOME'] ?? '/';
  const state = join(env['XDG_STATE_HOME'] || join(home, '.local/state'), 'qlaunch');
  const config = join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'qlaunch');
  const usual =
    uid === 0
      ? { runtime: '/run/qlaunch', state: '/var/lib/qlaunch', config: '/etc/qlaunch' }
      : { runtime: join(state, 'run', bootId), state, config };
  return {
    runtime: env['QLAUNCH_RUNTIME_DIR'] || usual.runtime,
    state: env['QLAUNCH_STATE_DIR'] || usual.state,
    config: env['QLAUNCH_CONFIG_DIR'] || usual.config,
  };
}
