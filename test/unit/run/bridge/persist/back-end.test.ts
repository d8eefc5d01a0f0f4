import { expect, test } from 'vitest';
import { keepFiles } from '../../../../../src/run/bridge/persist/back-end.ts';
import { FakeFiles } from '../../../../fake-files.ts';

test('a file that was there keeps its mode and owner, whatever is wished; a new one has the mode that is wished', async () => {
  const files = new FakeFiles();
  const owner = { uid: 7, gid: 8 };
  for (const [path, mode] of [
    ['/etc/secret', 0o600],
    ['/etc/odd', 0o664],
  ] as const)
    files.placeNew(path, `${path}.new`, { content: 'old', mode, owner });
  const machine = {
    stat: async (path: string) => files.stat(path),
    capture: async (path: string) => files.capture(path),
  };
  const steps = await keepFiles(machine, [
    { path: '/etc/secret', content: 'x' },
    { path: '/etc/odd', content: 'x', mode: 0o600 },
    { path: '/etc/new', content: 'x', mode: 0o600 },
    { path: '/etc/plain', content: 'x' },
  ]);
  expect(steps.map((step) => step.do)).toEqual([
    { file: '/etc/secret', content: 'x', keep: true, mode: 0o600, owner },
    { file: '/etc/odd', content: 'x', keep: true, mode: 0o664, owner },
    { file: '/etc/new', content: 'x', keep: true, mode: 0o600 },
    { file: '/etc/plain', content: 'x', keep: true, mode: 0o644 },
  ]);
});
