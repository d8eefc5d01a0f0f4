/** `vfio vf`: virtual functions made, shown, set and given up. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { readVfioFacts } from '../../host/vfio/facts.ts';
import type { HostFacts } from '../../plan/facts.ts';
import type { Plan } from '../../plan/step.ts';
import { functionAt, type PciFunction, type VfAdmin, type VfioFacts } from '../../plan/vfio/facts.ts';
import { persistVfs } from '../../plan/vfio/persist.ts';
import { selectOne } from '../../plan/vfio/select.ts';
import { planVfs, taken, type VfSettings, vfSteps } from '../../plan/vfio/vf.ts';
import type { Selector } from '../../spec/vfio/selector.ts';
import { execute, newId } from '../change/execute.ts';
import type { Engine } from '../engine.ts';
import { openChanges, type Recovered, undoChange } from '../recover.ts';
import { knownNames, takersOf } from './changes.ts';
import { merged, NOTHING } from './merged.ts';

export interface VfRow {
  readonly index: number;
  readonly address: string;
  readonly driver: string | null;
  readonly group: number | null;
  /** Why it is not free; null: it is. */
  readonly taken: string | null;
  /** As `ip link` shows it; null: the physical function has no interface. */
  readonly admin: VfAdmin | null;
}

export interface Made {
  readonly pf: PciFunction;
  readonly plan: Plan<HostFacts>;
}

export interface CreateWish {
  readonly pf: Selector;
  readonly count: number;
  readonly persist: boolean;
}

const created = (pf: PciFunction): string => `vfio vf create ${pf.address}`;
const isAbout = (title: string, address: string): boolean =>
  title === `vfio vf create ${address}` || title.startsWith(`vfio vf set ${address}/`);

/** Errors: as selectOne(); QL_NO_SRIOV, QL_VF_COUNT. */
export async function prepareVfs(engine: Engine, wish: CreateWish): Promise<Made> {
  const facts = await readVfioFacts(engine.machine);
  const pf = selectOne(wish.pf, facts, knownNames(engine));
  const steps = planVfs(pf, wish.count);
  return { pf, plan: { steps: [...steps, ...(wish.persist ? persistVfs(pf, wish.count) : [])] } };
}

/** Gives the functions. Errors: as prepareVfs(); QL_STEP_REFUSED with what the errno means here. */
export function createVfs(engine: Engine, wish: CreateWish): Promise<readonly VfRow[]> {
  return engine.locked('vfio vf create', async () => {
    const { pf, plan } = await prepareVfs(engine, wish);
    if (plan.steps.length > 0) {
      const id = newId(engine);
      await execute(engine, plan, {
        title: created(pf),
        lifetime: { untilUndone: id },
        id,
        holder: 'until-undone',
      }).catch((error: unknown) => {
        throw numvfsRefused(error, pf);
      });
    }
    return listVfs(engine, wish.pf);
  });
}

/** linux/drivers/pci/iov.c, sriov_numvfs_store(). */
const MEANT: readonly (readonly [RegExp, (pf: PciFunction) => string, string])[] = [
  [
    /ENOENT/,
    (pf) =>
      `the driver ${pf.driver ?? '(none)'} can not make virtual functions, which is told as "no such file"`,
    'load the driver of the card’s maker',
  ],
  [
    /ENOMEM|Cannot allocate memory/,
    () => 'the firmware left no room for them on the bus',
    'switch on SR-IOV and "Above 4G decoding" in the firmware’s setup, or boot with pci=realloc',
  ],
  [/ENOSPC|No space left/, () => 'the card is out of interrupt vectors', 'make fewer of them'],
];

/** The same error, with what its errno means here. */
export function numvfsRefused(error: unknown, pf: PciFunction): unknown {
  if (!(error instanceof QlaunchError)) return error;
  const known = MEANT.find(([pattern]) => error.why.some((line) => pattern.test(line)));
  if (known === undefined) return error;
  const text = { what: error.message, why: [...error.why, known[1](pf)], todo: [known[2], ...error.todo] };
  return new QlaunchError(error.code, error.exit, text, { cause: error });
}

export async function listVfs(engine: Engine, selector: Selector): Promise<readonly VfRow[]> {
  const facts = await readVfioFacts(engine.machine);
  const pf = selectOne(selector, facts, knownNames(engine));
  const leased = takersOf(engine);
  const admin = facts.netdevs.find(
    ({ name, representor }) => representor === undefined && pf.netdevs.includes(name),
  )?.vfs;
  return pf.vfs.map((address, index) => {
    const one = functionAt(facts, address);
    return {
      index,
      address,
      driver: one?.driver ?? null,
      group: one?.group ?? null,
      taken: (one && taken(one, facts, leased)) ?? null,
      admin: admin?.find((vf) => vf.index === index) ?? null,
    };
  });
}

/** Errors: as selectOne(); QL_NO_PF. */
export async function prepareSet(engine: Engine, selector: Selector, settings: VfSettings): Promise<Made> {
  const facts = await readVfioFacts(engine.machine);
  const one = selectOne(selector, facts, knownNames(engine));
  const pf = one.pf === undefined ? one : (functionAt(facts, one.pf) ?? one);
  return { pf, plan: { steps: vfSteps(one, settings, facts) } };
}

export function setVf(engine: Engine, selector: Selector, settings: VfSettings): Promise<void> {
  return engine.locked('vfio vf set', async () => {
    const { pf, plan } = await prepareSet(engine, selector, settings);
    const id = newId(engine);
    const title = `vfio vf set ${pf.address}/${selector.text.split('/').at(-1)}`;
    await execute(engine, plan, { title, lifetime: { untilUndone: id }, id, holder: 'until-undone' });
  });
}

/** Newest first. Errors: as selectOne(); QL_VFIO_HELD, QL_NOT_OURS (exit 3). */
export async function changesOfPf(engine: Engine, selector: Selector): Promise<readonly string[]> {
  const facts = await readVfioFacts(engine.machine);
  const pf = selectOne(selector, facts, knownNames(engine));
  refuseHeld(pf, facts, engine);
  const ids = openChanges(engine)
    .filter(({ change }) => isAbout(change.journal?.head.title ?? '', pf.address))
    .map(({ change }) => change.id);
  if (ids.length === 0 && pf.vfs.length > 0)
    throw new QlaunchError('QL_NOT_OURS', EXIT.refused, {
      what: `the virtual functions of ${pf.address} were not made by qlaunch`,
      why: [`it has ${pf.vfs.length}, and somebody may count on them`],
      todo: [`echo 0 | sudo tee /sys/bus/pci/devices/${pf.address}/sriov_numvfs   # if they are yours`],
    });
  return ids.reverse();
}

/** The kernel would wait for whoever has one open, and all of the PCI bus with it. */
function refuseHeld(pf: PciFunction, facts: VfioFacts, engine: Engine): void {
  const leased = takersOf(engine);
  const held = pf.vfs.flatMap((address) => {
    const one = functionAt(facts, address);
    const why = one === undefined ? undefined : taken(one, facts, leased);
    return why === undefined ? [] : [`${address}: ${why}`];
  });
  if (held.length === 0) return;
  throw new QlaunchError('QL_VFIO_HELD', EXIT.refused, {
    what: `will not take the virtual functions of ${pf.address} away now`,
    why: held,
    todo: ['qlaunch ps   # stop what uses them first', 'sudo qlaunch vfio restore --all'],
  });
}

export async function releaseVfs(engine: Engine, selector: Selector): Promise<Recovered> {
  let all: Recovered = NOTHING;
  for (const id of await changesOfPf(engine, selector)) all = merged(all, await undoChange(engine, id));
  return all;
}
