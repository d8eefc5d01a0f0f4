/** Where our state lives. Each place can be moved by one variable: tests, chroots, several worlds on one machine. */
import { isAbsolute, join, resolve } from 'node:path';
import { bootId as readBootId } from './ids.ts';

export interface StatePaths {
  /** Void after a reboot. /run/qlaunch */
  readonly runtime: string;
  /** /var/lib/qlaunch */
  readonly state: string;
  /** /etc/qlaunch */
  readonly config: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Whose places are asked for. */
export interface StateOwner {
  readonly uid: number;
  readonly home: string;
  /** We are root and work for this user (sudo, --run-as): the environment's XDG folders are not the user's. */
  readonly dropTo?: boolean;
}

/**
 * Root: /run, /var/lib, /etc; only its configuration is that of the user it works for. Anybody else: below
 * XDG_STATE_HOME, where even the volatile part is, per boot; XDG_RUNTIME_DIR may be unset, and is wiped at logout
 * while a VM lives on. An empty variable is an unset one, a relative XDG one is ignored (basedir-spec), a relative
 * QLAUNCH one is relative to the working directory.
 * @param who a bare uid: that user, with $HOME as home
 */
export function statePaths(env: Environment, who: StateOwner | number, bootId?: string): StatePaths {
  const owner = typeof who === 'number' ? { uid: who, home: absolute(env['HOME']) ?? '/' } : who;
  const usual = owner.uid === 0 || owner.dropTo === true ? ofRoot(env, owner) : ofUser(env, owner, bootId);
  return {
    runtime: moved(env['QLAUNCH_RUNTIME_DIR']) ?? usual.runtime,
    state: moved(env['QLAUNCH_STATE_DIR']) ?? usual.state,
    config: moved(env['QLAUNCH_CONFIG_DIR']) ?? usual.config,
  };
}

function ofRoot(env: Environment, owner: StateOwner): StatePaths {
  const config = owner.dropTo === true ? configHome(env, owner) : '/etc/qlaunch';
  return { runtime: '/run/qlaunch', state: '/var/lib/qlaunch', config };
}

function ofUser(env: Environment, owner: StateOwner, bootId?: string): StatePaths {
  const state = join(absolute(env['XDG_STATE_HOME']) ?? join(owner.home, '.local/state'), 'qlaunch');
  return { runtime: join(state, 'run', bootId ?? readBootId()), state, config: configHome(env, owner) };
}

function configHome(env: Environment, { home, dropTo }: StateOwner): string {
  const given = dropTo === true ? undefined : absolute(env['XDG_CONFIG_HOME']);
  return join(given ?? join(home, '.config'), 'qlaunch');
}

/** undefined also for a relative one. */
export function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}

function moved(path: string | undefined): string | undefined {
  return path === undefined || path === '' ? undefined : resolve(path);
}
