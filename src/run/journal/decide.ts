/** The one place that says what becomes of a change: everything that takes back asks here. */
import type { ProcessId, World } from '../../host/port.ts';
import type { Change } from './load.ts';

export type Decision =
  /** Its actor and its holder are dead: take it back. */
  | { readonly kind: 'undo'; readonly why: string }
  /** Someone lives who needs it, or wanted it to stay. */
  | { readonly kind: 'leave'; readonly why: string }
  /** Nothing to take back: the machine was started anew, or it was permanent and is complete. */
  | { readonly kind: 'forget'; readonly why: string }
  /** Not ours to touch from here. */
  | { readonly kind: 'report'; readonly why: string };

/** `asked`: somebody named this change to be undone, so "until undone" and a lifetime no longer keep it. */
export function decide(change: Change, world: World, asked: boolean = false): Decision {
  if (change.trouble !== undefined)
    return { kind: 'report', why: `${change.trouble.path}: ${change.trouble.why}` };
  if (change.journal === undefined) return { kind: 'forget', why: 'the machine was started anew since' };
  const { head, entries } = change.journal;
  const actor = world.alive(head.actor);
  const itself = isSame(head.actor, world.self);
  if (actor === 'unknown')
    return { kind: 'report', why: `pid ${head.actor.pid} is in another pid namespace (${head.actor.pidns})` };
  if (actor === 'alive' && !itself) return { kind: 'leave', why: `pid ${head.actor.pid} is at work on it` };
  const holder = holderState(head.holder, world);
  if (holder === 'unknown') return { kind: 'report', why: 'its holder is in another pid namespace' };
  if (holder === 'alive') return { kind: 'leave', why: `pid ${(head.holder as ProcessId).pid} uses it` };
  if (itself && !asked) return { kind: 'leave', why: 'this process is at work on it' };
  const kernelState = entries.some((entry) => !('unfile' in entry.undo || 'rmdir' in entry.undo));
  if (head.bootId === world.bootId && head.netns !== world.netns && kernelState) {
    return { kind: 'report', why: `it is in another network namespace (${head.netns})` };
  }
  if (head.complete && 'permanent' in head.lifetime)
    return { kind: 'forget', why: 'it is permanent and complete' };
  if (asked) return { kind: 'undo', why: 'asked for' };
  // What outlives a boot of a network that does not.
  if ('net' in head.lifetime && head.bootId !== world.bootId)
    return { kind: 'undo', why: 'its network ended with the machine' };
  if (head.complete && holder === 'command') return { kind: 'leave', why: 'it stays until it is undone' };
  return { kind: 'undo', why: head.complete ? 'nobody uses it any more' : 'who made it ended halfway' };
}

function holderState(
  holder: ProcessId | 'until-undone' | null,
  world: World,
): 'alive' | 'dead' | 'unknown' | 'command' {
  if (holder === null) return 'dead';
  return holder === 'until-undone' ? 'command' : world.alive(holder);
}

const isSame = (a: ProcessId, b: ProcessId): boolean =>
  a.pid === b.pid && a.start === b.start && a.bootId === b.bootId;
