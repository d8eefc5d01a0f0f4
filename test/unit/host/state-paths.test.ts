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
