/** Which steps of a plan only root may make: named before anything is touched, so that nothing is half-done. */
import type { Plan, Step } from './step.ts';

/** Those of the first stage; what waits for it needs at least as much. `home` is the caller's. */
export function rootSteps<Facts>(plan: Plan<Facts>, home: string): readonly Step[] {
  const steps = [...plan.steps, ...(plan.next?.preview ?? [])];
  return steps.filter((step) => needsRoot(step, home));
}

/** A command is taken to need it: plans run none that does not change the host. */
function needsRoot({ do: action }: Step, home: string): boolean {
  const path = 'file' in action ? action.file : 'mkdir' in action ? action.mkdir : undefined;
  return (
    path === undefined ||
    !(path.startsWith(`${home}/`) || path.startsWith('/run/user/') || path.startsWith('/tmp/'))
  );
}
