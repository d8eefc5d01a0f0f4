import { defineConfig } from 'vitest/config';

/**
 * One project per tier. netns, vm and lab are entered through scripts/test, which gives each what it needs
 * (a namespace, an emulator, a nested machine); unit and golden run anywhere.
 */
export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      { test: { name: 'golden', include: ['test/golden/**/*.test.ts'] } },
    ],
  },
});
