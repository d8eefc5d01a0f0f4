/** From the command line to a checked VM. */
import { canonical, describe } from '../host/vm/description.ts';
import { identity as callerIdentity, type Identity } from '../host/vm/user.ts';
import type { RawVm } from '../spec/raw.ts';
import { readSources } from '../spec/sources.ts';
import type { VmContext } from '../spec/vm.ts';

export interface Described {
  readonly who: Identity;
  readonly raw: RawVm;
  readonly context: VmContext;
}

export function readDescription(
  named: string | undefined,
  options: Readonly<Record<string, unknown>>,
  extra: readonly string[],
): Described {
  const runAs = options['runAs'];
  const who = callerIdentity(process.env, typeof runAs === 'string' ? runAs : undefined);
  const cwd = process.cwd();
  const raw = readSources({ ...describe(named, who, process.env, cwd), options, extra, cwd });
  // By whatever link it is called, a VM keeps its name's owner and its MACs.
  const identity = raw.named === undefined ? undefined : canonical(raw.named, who);
  return { who, raw, context: { home: who.user.home, ...(identity === undefined ? {} : { identity }) } };
}
