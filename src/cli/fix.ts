/** `run --fix`: the cures of the bridge helper's chain that qlaunch can do, done before the start. */
import type { Host } from '../host/port.ts';
import type { Identity } from '../host/vm/user.ts';
import { renderPlan } from '../plan/render.ts';
import { applyUntilUndone, fixChain } from '../run/acl/init.ts';
import { openEngine } from '../run/open-engine.ts';
import { bridgeWishes } from '../run/vm/bridge.ts';
import type { VmSpec } from '../spec/vm-spec.ts';
import { requireRoot } from './root.ts';
import { note } from './terminal.ts';

declare const QLAUNCH_VERSION: string;

/** Errors: QL_NEEDS_ROOT with the steps and the line to type. `dryRun`: only says what would be done. */
export async function fixHost(spec: VmSpec, host: Host, who: Identity, dryRun: boolean): Promise<void> {
  for (const wish of bridgeWishes(spec, { who })) {
    const plan = fixChain(host, wish);
    const steps = await plan();
    if (steps.length === 0) continue;
    if (!dryRun)
      requireRoot(
        '--fix changes the host, which only root may do',
        steps.map(({ title }) => title),
      );
    note(renderPlan({ steps }).trimEnd());
    if (dryRun) continue;
    const engine = openEngine({ tool: `qlaunch ${QLAUNCH_VERSION}` });
    const id = await applyUntilUndone(engine, `run --fix, for bridge ${wish.bridge}`, plan);
    if (id !== undefined) note(`qlaunch: done; taken back by: sudo qlaunch undo ${id}`);
  }
}
