/** A world of our own inside the namespace: state, configuration and an "etc" of this test alone. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Tree {
  readonly root: string;
  readonly etc: string;
  readonly env: Readonly<Record<string, string>>;
  remove(): void;
}

/** Not below /run: what is put there does not outlive a reboot, and is treated so. */
export function makeTree(): Tree {
  const root = mkdtempSync(join(tmpdir(), 'qlaunch-test-'));
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
    remove: () => {
      // Of a test that failed; the next one is to fail for its own reasons only.
      for (const name of ['br-t', 'tap-t']) spawnSync('ip', ['link', 'delete', 'dev', name]);
      rmSync(root, { recursive: true });
    },
  };
}

/** What we keep in our own directories; empty when no change is open. */
export function filesLeft(tree: Tree): readonly string[] {
  const places = ['run/journal', 'run/shared', 'run/confirm', 'state/journal'].map((name) =>
    join(tree.root, name),
  );
  return places.filter(existsSync).flatMap((place) => readdirSync(place).map((name) => join(place, name)));
}
