import { describe, expect, test } from 'vitest';
import { expandShorthand } from '../../../src/cli/main.ts';
import { COMMANDS, program } from '../../../src/cli/program.ts';

test.each([
  [[], ['help']],
  [['vm.qcow2'], ['run', 'vm.qcow2']],
  [
    ['-m', '1024', 'vm.qcow2'],
    ['run', '-m', '1024', 'vm.qcow2'],
  ],
  [
    ['ps', '--json'],
    ['ps', '--json'],
  ],
  [['./ps'], ['run', './ps']],
  [
    ['net-list', '--all'],
    ['net', 'list', '--all'],
  ],
  [
    ['net-destroy', 'lab'],
    ['net', 'stop', 'lab'],
  ],
  [['--version'], ['--version']],
  [
    ['help', 'run'],
    ['help', 'run'],
  ],
])('qlaunch %j means %j', (given, meant) => {
  expect(expandShorthand(given)).toEqual(meant);
});

describe('the command tree', () => {
  const tree = program({ called: 'run', extra: [], procLocks: Promise.resolve(''), done: () => undefined });

  test('has exactly the commands that are told apart from images', () => {
    expect(tree.commands.map((command) => command.name())).toEqual(COMMANDS);
  });

  test('every command says what it does', () => {
    for (const command of tree.commands) expect(command.description()).toMatch(/^\S.{10,}/);
  });
});
