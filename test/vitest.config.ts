import { defineConfig, type ViteUserConfig } from 'vitest/config';

/**
 * One project per tier. unit and golden run anywhere; netns, vm and lab are entered through scripts/test, which gives
 * each what it needs (a sandbox, an emulator with a guest, a nested machine). Deadlines in ms.
 */
/** The lab is an emulated machine: the same work takes ten times as long there. */
const slower = process.env['QLAUNCH_TEST_LAB'] === undefined ? 1 : 10;
const tier = (name: string, deadlineMs: number): { test: object } => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: deadlineMs * slower,
    hookTimeout: deadlineMs * slower,
  },
});

const config: ViteUserConfig = defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    projects: [
      tier('unit', 5_000),
      tier('golden', 5_000),
      tier('netns', 30_000),
      tier('vm', 120_000),
      tier('lab', 120_000),
    ],
  },
});
export default config;
