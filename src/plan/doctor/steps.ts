/** Steps of `--fix` that several checks take. */
import { LINK_GONE } from '../links.ts';
import { DEADLINE_MS, type Step } from '../step.ts';

/** A module that was loaded before stays when this is undone. */
export const loadModule = (name: string): Step => ({
  title: `load the module ${name}`,
  do: { load: name },
  undo: { restore: true },
  deadlineMs: DEADLINE_MS,
});

export const bringUp = (name: string): Step => ({
  title: `set ${name} up`,
  do: { run: ['ip', 'link', 'set', 'dev', name, 'up'] },
  undo: { run: ['ip', 'link', 'set', 'dev', name, 'down'], gone: LINK_GONE },
  deadlineMs: DEADLINE_MS,
});
