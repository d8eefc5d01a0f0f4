/** qlaunch install: a new disk, the CD booted once, the disk from then on. */
import { parseVmSpec } from '../spec/vm.ts';
import { readDescription } from './describe.ts';
import { type RunOptions, start } from './run.ts';

export async function install(
  options: RunOptions & Record<string, unknown>,
  extra: readonly string[],
): Promise<number> {
  const { who, raw } = readDescription(undefined, options, extra);
  const spec = parseVmSpec(raw, { home: who.user.home });
  return start(spec, who, options);
}
