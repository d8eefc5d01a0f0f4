/** From the command line to a checked VM. */
import { describe } from '../host/vm/description.ts';
import { type Identity, identity } from '../host/vm/user.ts';
import type { RawVm } from '../spec/raw.ts';
import { readSources } from '../spec/sources.ts';

export interface Described {
  readonly who: Identity;
  readonly raw: RawVm;
}

export function readDescription(
  named: string | undefined,
  options: Readonly<Record<string, unknown>>,
  extra: readonly string[],
): Described {
  const runAs = options['runAs'];
  const who = identity(process.env, typeof runAs === 'string' ? runAs : undefined);
  const cwd = process.cwd();
  const raw = readSources({ ...describe(named, who, process.env, cwd), options, extra, cwd });
  return { who, raw };
}
