/** What the hooks would do, as text for sh. */
import { renderPlan } from '../../plan/render.ts';
import type { Engine } from '../engine.ts';
import { type PlugWish, planOf } from './plug.ts';
import { recordsOf } from './take-back.ts';

export async function dryPlug(engine: Engine, wish: PlugWish): Promise<string> {
  return renderPlan(await planOf(engine, wish)).trimEnd() || `${wish.ifname} is plugged in already`;
}

export function dryUnplug(engine: Engine, ifname: string): string {
  const undos = recordsOf(engine, ifname).flatMap(({ journal }) => journal.open.map(({ byHand }) => byHand));
  return undos.join('\n') || `there is nothing to take back from ${ifname}`;
}
