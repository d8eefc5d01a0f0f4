/** qemu-ifup: makes the tap that QEMU has just opened a port of a bridge. QEMU waits, and stops when this fails. */
import { join } from 'node:path';
import { lookAt, lookForBridges } from '../../host/hook/look.ts';
import { mayChangeLinks } from '../../host/hook/rights.ts';
import { tapHolder } from '../../host/hook/tap-holder.ts';
import type { StatePaths } from '../../host/state-paths.ts';
import { directoryStore } from '../../host/store.ts';
import type { HostFacts } from '../../plan/facts.ts';
import { type BridgeSources, chooseBridge } from '../../plan/hook/choose.ts';
import { leftPlanDirectory, leftPlanName, readLeftPlan } from '../../plan/hook/left.ts';
import { planPlug } from '../../plan/hook/plug.ts';
import type { Lifetime } from '../../plan/lifetime.ts';
import type { Plan } from '../../plan/step.ts';
import { bridgeNamed } from '../../plan/tap/port.ts';
import { execute } from '../change/execute.ts';
import type { Engine } from '../engine.ts';
import { plugIds, plugPrefix, plugTitle } from './records.ts';

export interface PlugWish {
  readonly ifname: string;
  /** $QLAUNCH_BRIDGE */
  readonly asked?: string;
  readonly paths: StatePaths;
}

/** Errors: QL_NO_RIGHTS, QL_NO_TAP, QL_NOT_A_TAP, QL_TAP_TAKEN, QL_NO_BRIDGE, QL_HOOK_RULES, QL_STEP_REFUSED, … */
export async function plug(engine: Engine, wish: PlugWish): Promise<void> {
  const { ifname } = wish;
  if (!mayChangeLinks()) throw (await import('./no-rights.ts')).noRights(ifname);
  await engine.locked(plugTitle(ifname), async () => {
    await forgetDead(engine, ifname);
    const sources = await readSources(engine, wish);
    const plan = await planFrom(engine, ifname, sources);
    if (plan.steps.length === 0) return;
    const id = `${plugPrefix(ifname)}${engine.newToken().slice(0, 6)}`;
    const holder = tapHolder(engine.world, ifname);
    const lifetime: Lifetime =
      holder === undefined ? { untilUndone: id } : { vm: sources.left?.vm ?? `pid ${holder.pid}` };
    await execute(engine, plan, {
      title: plugTitle(ifname),
      lifetime,
      holder: holder ?? 'until-undone',
      id,
    });
  });
}

/** The plan alone, for somebody who tries the hook by hand. */
export async function planOf(engine: Engine, wish: PlugWish): Promise<Plan<HostFacts>> {
  return planFrom(engine, wish.ifname, await readSources(engine, wish));
}

/**
 * A QEMU that was killed left its record. On a tap that stays, its undo would later pull the plug on the guest that
 * is starting now.
 */
async function forgetDead(engine: Engine, ifname: string): Promise<void> {
  if (plugIds(engine, ifname).length === 0) return;
  const { takeBack } = await import('./take-back.ts');
  await takeBack(engine, ifname, 'unused');
}

async function readSources(engine: Engine, { ifname, asked, paths }: PlugWish): Promise<BridgeSources> {
  const rulesPath = join(paths.config, 'ifup.ini');
  if (asked !== undefined && asked !== '') return { asked, rulesPath };
  const { netns } = engine.world;
  const text = directoryStore(leftPlanDirectory(paths.runtime)).read(leftPlanName(ifname, netns));
  const left = text === undefined ? undefined : readLeftPlan(text, ifname, netns);
  if (left !== undefined) return { left, rulesPath };
  if ((await engine.machine.stat(rulesPath)) === undefined) return { rulesPath };
  const { readRule } = await import('./rules.ts');
  const rule = readRule(rulesPath, ifname);
  return rule === undefined ? { rulesPath } : { rule, rulesPath };
}

async function planFrom(engine: Engine, ifname: string, sources: BridgeSources): Promise<Plan<HostFacts>> {
  const choice = chooseBridge(sources);
  if (choice === undefined) {
    const { planByRoute } = await import('./by-route.ts');
    return planByRoute(engine, ifname, sources);
  }
  const { tap, named } = await lookAt(engine.machine, ifname, choice.bridge);
  // The error names the bridges that there are.
  const links = named?.kind === 'bridge' ? [named] : await lookForBridges(engine.machine);
  const bridge = bridgeNamed(
    { links: named === undefined ? links : [named, ...links] },
    named?.ifname ?? choice.bridge,
  );
  return planPlug({ ...tap, bridge }, choice);
}
