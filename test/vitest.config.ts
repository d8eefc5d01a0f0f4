import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** The lab is an emulated machine: the same work takes ten times as long there. */
const slower = process.env['QLAUNCH_TEST_LAB'] === undefined ? 1 : 10;
/** netns, vm and lab tests change the machine they run on, so they only start in one that is made for them. */
const onlyInside = 'test/tiers/only-inside.ts';

/** A project: the tests of one tier, each with a deadline in ms. */
const tier = (name: string, deadlineMs: number, ...setupFiles: string[]): object => ({
  // As scripts/build.mjs does.
  define: { QLAUNCH_VERSION: JSON.stringify('0.0.0-test') },
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    setupFiles,
    testTimeout: deadlineMs * slower,
    hookTimeout: deadlineMs * slower,
  },
});

/**
 * One project per tier. unit and golden run anywhere; netns, vm and lab are entered through scripts/test, which gives
 * each what it needs (a sandbox, an emulator with a guest, a nested machine).
 */
const config: ViteUserConfig = defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    projects: [
      tier('unit', 20_000),
      tier('golden', 20_000),
      tier('netns', 30_000, onlyInside),
      tier('vm', 300_000, onlyInside),
      tier('lab', 300_000, onlyInside),
    ],
  },
});
export default config;
