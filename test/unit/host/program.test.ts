import { expect, test } from 'vitest';
import { forSudo } from '../../../src/host/program.ts';

const away = (): string => "/home/al ice/.local/bin/qlaunch$'";

test.each([
  ['sudo qlaunch tap add t1', "sudo '/home/al ice/.local/bin/qlaunch$'\\''' tap add t1"],
  ['a; sudo qlaunch x\nsudo qlaunch y', /^a; sudo '.*' x\nsudo '.*' y$/],
])('what sudo would not find gets its path: %s', (text, expected) => {
  if (typeof expected === 'string') expect(forSudo(text, away)).toBe(expected);
  else expect(forSudo(text, away)).toMatch(expected);
});

test.each(['pseudo qlaunch x', 'sudo qlaunch-else x', 'qlaunch ps'])('%s stays', (text) => {
  expect(forSudo(text, away)).toBe(text);
});
