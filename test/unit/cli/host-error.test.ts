import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { asHostError } from '../../../src/cli/host-error.ts';

const refused = (code: string, syscall: string, path?: string): Error =>
  Object.assign(new Error(`${code}: no, ${syscall}`), {
    code,
    syscall,
    ...(path === undefined ? {} : { path }),
  });

test('a home that can not be made: the variable that moves it', () => {
  const env = {
    XDG_STATE_HOME: '/nonexistent/.local/state',
    QLAUNCH_STATE_DIR: '/nonexistent/.local/state/qlaunch',
  };
  const said = asHostError(refused('EACCES', 'mkdir', '/nonexistent'), env, 1000);
  expect(said).toMatchObject({ exit: 4, todo: [expect.stringMatching(/^export XDG_STATE_HOME=/)] });
  execFileSync('sh', ['-ec', `${said?.todo[0]}\nrmdir "$XDG_STATE_HOME"`]);
});

test('any other directory is looked at', () => {
  expect(asHostError(refused('EACCES', 'mkdir', '/x'), {})?.todo).toEqual(['ls -ld /x']);
});

test('a file system without room is named, though write(2) does not say which', () => {
  // /proc has no free block, and is there everywhere.
  expect(asHostError(refused('ENOSPC', 'write'), { QLAUNCH_RUNTIME_DIR: '/proc' })).toMatchObject({
    message: 'the system refused write /proc',
    why: ['ENOSPC: no, write', 'the file system of /proc is full'],
    todo: ['df -h /proc'],
  });
});

test('what the system did not say is a bug of ours', () => {
  expect(asHostError(new TypeError('x'))).toBeUndefined();
});
