/**
 * What qlaunch leaves for the hook before it starts a QEMU that will run it: which bridge this interface goes to. A
 * file in RUNTIME/ifup, a directory that only its owner may write in, put there and taken back with the VM's other steps.
 */
import { join } from 'node:path';
import { parseIfName } from '../../spec/ifname.ts';
import { isProblem } from '../../spec/raw.ts';
import { putFile } from '../files.ts';
import { DEADLINE_MS, type FilePath, type Step } from '../step.ts';

export interface LeftPlan {
  readonly v: 1;
  readonly ifname: string;
  /** `readlink /proc/self/ns/net`: the same name in another one is another interface. */
  readonly netns: string;
  readonly bridge: string;
  /** That of the bridge unless given. */
  readonly mtu?: number;
  readonly isolated?: boolean;
  /** The VM's name: what the hook changes lives as long as it. */
  readonly vm?: string;
}

export const leftPlanDirectory = (runtime: string): string => join(runtime, 'ifup');

/** A file name that says both; of a name with odd bytes their hexadecimal form. What counts is in the file. */
export function leftPlanName(ifname: string, netns: string): string {
  const plain = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(ifname);
  const word = plain ? ifname : `x-${Buffer.from(ifname).toString('hex')}`;
  return `${word}.${/\d+/.exec(netns)?.[0] ?? '0'}`;
}

/** `runtime`: StatePaths.runtime of the user QEMU runs as. */
export function leavePlan(plan: LeftPlan, runtime: string): readonly Step[] {
  const directory = leftPlanDirectory(runtime) as FilePath;
  const path = `${directory}/${leftPlanName(plan.ifname, plan.netns)}` as FilePath;
  return [
    {
      title: `make the directory ${directory}`,
      do: { run: ['install', '-d', '-m', '0700', directory] },
      undo: { nothing: 'the plans of all VMs lie there' },
      deadlineMs: DEADLINE_MS,
    },
    putFile({ path, content: `${JSON.stringify(plan)}\n`, mode: 0o600 }),
  ];
}

/** undefined: it is not for this interface, or not one this version understands wholly. */
export function readLeftPlan(text: string, ifname: string, netns: string): LeftPlan | undefined {
  let plan: Partial<Record<keyof LeftPlan, unknown>>;
  try {
    plan = JSON.parse(text) as typeof plan;
  } catch {
    return undefined;
  }
  const { v, bridge, mtu, isolated, vm } = plan;
  if (v !== 1 || plan.ifname !== ifname || plan.netns !== netns) return undefined;
  if (typeof bridge !== 'string' || isProblem(parseIfName(bridge, ''))) return undefined;
  return {
    v,
    ifname,
    netns,
    bridge,
    ...(typeof mtu === 'number' ? { mtu } : {}),
    ...(isolated === true ? { isolated } : {}),
    ...(typeof vm === 'string' ? { vm } : {}),
  };
}
