import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { statePaths } from '../../../src/host/state-paths.ts';

test('root keeps its state where only root may write', () => {
  expect(statePaths({ HOME: '/root', XDG_STATE_HOME: '/x' }, 0, 'boot')).toEqual({
    runtime: '/run/qlaunch',
    state: '/var/lib/qlaunch',
    config: '/etc/qlaunch',
  });
});

test('a user keeps it at home; what a reboot voids is kept per boot', () => {
  expect(statePaths({ HOME: '/home/u' }, 1000, 'boot')).toEqual({
    runtime: '/home/u/.local/state/qlaunch/run/boot',
    state: '/home/u/.local/state/qlaunch',
    config: '/home/u/.config/qlaunch',
  });
});

test('each place can be moved', () => {
  const env = { HOME: '/root', QLAUNCH_RUNTIME_DIR: '/a', QLAUNCH_STATE_DIR: '/b', QLAUNCH_CONFIG_DIR: '/c' };
  expect(statePaths(env, 0, 'boot')).toEqual({ runtime: '/a', state: '/b', config: '/c' });
});

test('under sudo the state is root’s and the configuration the user’s, whatever root’s XDG folders are', () => {
  const env = { HOME: '/root', XDG_CONFIG_HOME: '/root/cfg', XDG_STATE_HOME: '/root/st' };
  expect(statePaths(env, { uid: 1000, home: '/home/u', dropTo: true }, 'boot')).toEqual({
    runtime: '/run/qlaunch',
    state: '/var/lib/qlaunch',
    config: '/home/u/.config/qlaunch',
  });
});

test('an empty variable is an unset one, a relative XDG folder is ignored', () => {
  const env = {
    XDG_STATE_HOME: 'st',
    XDG_CONFIG_HOME: '',
    QLAUNCH_RUNTIME_DIR: '',
    QLAUNCH_STATE_DIR: '',
    QLAUNCH_CONFIG_DIR: '',
  };
  expect(statePaths(env, { uid: 1000, home: '/home/u' }, 'boot')).toEqual({
    runtime: '/home/u/.local/state/qlaunch/run/boot',
    state: '/home/u/.local/state/qlaunch',
    config: '/home/u/.config/qlaunch',
  });
});

test('a moved place is absolute, so that it means the same from everywhere', () => {
  const env = { QLAUNCH_RUNTIME_DIR: 'r', QLAUNCH_STATE_DIR: './s', QLAUNCH_CONFIG_DIR: '../c' };
  expect(statePaths(env, { uid: 0, home: '/root' })).toEqual({
    runtime: resolve('r'),
    state: resolve('s'),
    config: resolve('../c'),
  });
});
