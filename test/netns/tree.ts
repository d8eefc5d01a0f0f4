/** A world of our own inside the namespace: state, configuration and an "etc" of this test alone. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export interface Tree {
  readonly root: string;
  readonly etc: string;
  readonly env: Readonly<Record<string, string>>;
  remove(): void;
}

/** Below /run, which is private to the tier: its parents belong to root and nobody else may write there. */
export function makeTree(): Tree {
  const root = mkdtempSync('/run/qlaunch-test-');
  const etc = join(root, 'etc');
  mkdirSync(etc);
  return {
    root,
    etc,
    env: {
      QLAUNCH_RUNTIME_DIR: join(root, 'run'),
      QLAUNCH_STATE_DIR: join(root, 'state'),
      QLAUNCH_CONFIG_DIR: join(root, 'config'),
    },
    remove: () => rmSync(root, { recursive: true }),
  };
}

/** What we keep in our own directories; empty when no change is open. */
export function filesLeft(tree: Tree): readonly string[] {
  const places = ['run/journal', 'run/shared', 'run/confirm', 'state/journal'].map((name) =>
    join(tree.root, name),
  );
  return places.filter(existsSync).flatMap((place) => readdirSync(place).map((name) => join(place, name)));
}
