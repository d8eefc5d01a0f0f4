/** The usual way to change the host: lock, look, plan, do. */
import { readFacts } from '../host/facts.ts';
import type { HostFacts } from '../plan/facts.ts';
import type { Plan } from '../plan/step.ts';
import { execute, type Order } from './change/execute.ts';
import type { Engine } from './engine.ts';
import type { Journal } from './journal/journal.ts';

/** Facts are read under the lock: between them and the change nobody of ours touches the host. */
export function apply(
  engine: Engine,
  order: Omit<Order, 'facts'>,
  plan: (facts: HostFacts) => Plan<HostFacts> | Promise<Plan<HostFacts>>,
): Promise<Journal> {
  return engine.locked(order.title, async () => {
    const facts = (): Promise<HostFacts> => readFacts(engine.machine, engine.newToken());
    return execute(engine, await plan(await facts()), { ...order, facts });
  });
}
