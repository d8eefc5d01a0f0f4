/** Variables of the caller's that change how Node starts. */
import { readFileSync } from 'node:fs';
import type { Finding } from '../../plan/doctor/finding.ts';
import type { DoctorContext } from './context.ts';

const VARIABLES: Readonly<Record<string, string>> = {
  // nodejs/node#40524, measured.
  NODE_EXTRA_CA_CERTS: 'Node 20 then reads all certificates first, and starts three times as slowly',
  NODE_OPTIONS: 'whatever it names is loaded into every Node program, also one that root runs',
};

/** `parent`: the environment that the caller was started with; our own front drops both. */
export function environmentFindings(
  { env }: Pick<DoctorContext, 'env'>,
  parent: string = parentEnvironment(),
): readonly Finding[] {
  return Object.entries(VARIABLES).map(([name, why]): Finding => {
    const about = { id: 'node-environment', about: name } as const;
    if (env[name] !== undefined && env[name] !== '')
      return { ...about, state: 'warning', fact: `it is set: ${why}`, cure: [`unset ${name}`] };
    const isOutside = parent.split('\0').some((word) => word.startsWith(`${name}=`));
    const fact = isOutside ? 'set in your shell, and dropped before qlaunch starts' : 'not set';
    return { ...about, state: 'ok', fact };
  });
}

function parentEnvironment(): string {
  try {
    return readFileSync(`/proc/${process.ppid}/environ`, 'latin1');
  } catch {
    // sudo's is root's; an ended one has none.
    return '';
  }
}
