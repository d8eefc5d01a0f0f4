/** What is run before QEMU starts. */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { Host } from '../../host/port.ts';
import { asRoot, type Identity } from '../../host/vm/user.ts';
import type { VmPlan } from './plan.ts';

/** Errors: QL_STEP_REFUSED with the tool's words and, where it is known, the cure. */
export async function prepare({ steps }: VmPlan, host: Host, who: Identity): Promise<void> {
  for (const { title, do: action, deadlineMs } of steps) {
    if (!('run' in action)) throw new TypeError(`a step of a VM's own is a command: ${title}`);
    const result = await asRoot(who, () => host.run(action.run, { timeoutMs: deadlineMs }));
    if (result.status === 0) continue;
    const words = result.timedOut ? `it took longer than ${deadlineMs / 1000} s` : result.stderr.trim();
    throw new QlaunchError('QL_STEP_REFUSED', EXIT.host, {
      what: `could not ${title}`,
      why: words.split('\n'),
      todo: KNOWN.find(([pattern]) => pattern.test(words))?.[1] ?? [
        'qlaunch … --dry-run   # and run the step by hand',
      ],
    });
  }
}

/** passt's words (passt conf.c). */
const KNOWN: readonly (readonly [RegExp, readonly string[]])[] = [
  [
    /No external routable interface|External interface not usable/,
    [
      'ip route show default   # passt copies the address and the routes of the interface that has it',
      'qlaunch … --net passt,interface=NAME',
      'qlaunch … --net user    # needs no route',
    ],
  ],
];
