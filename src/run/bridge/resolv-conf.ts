/** /etc/resolv.conf between a DHCP client that `bridge create --dhcp` started and whoever edits it later. */
import { setTimeout as sleep } from 'node:timers/promises';
import { putBackWhere, RESOLV_CONF, SUM_OF_RESOLV_CONF, sumIn } from '../../plan/bridge/dhcp.ts';
import { renderByHand } from '../../plan/render-undo.ts';
import { rearmTrial } from '../confirm/arm.ts';
import type { Engine } from '../engine.ts';
import type { Entry } from '../journal/entry.ts';
import { loadChange } from '../journal/load.ts';

/** The clients' scripts write it as their last act, a moment after the address. */
const WRITTEN_WITHIN_MS = 2_000;

type Run = Extract<Entry['undo'], { readonly run: unknown }>;

/** cksum(1)'s line; empty where there is no such file. */
export const sumOfResolvConf = async ({ machine }: Engine): Promise<string> =>
  (await machine.run(SUM_OF_RESOLV_CONF)).stdout.trim();

function wayBack(engine: Engine, id: string): { readonly n: number; readonly undo: Run } | undefined {
  const { journal } = loadChange(engine.stores, engine.world, id);
  for (const { n, undo } of journal?.open ?? [])
    if ('run' in undo && putBackWhere(undo.run, '') !== undefined) return { n, undo };
  return undefined;
}

/** Once there is a lease: what the client wrote is what may be taken back. @param before its sum */
export async function rememberResolvConf(engine: Engine, id: string, before: string): Promise<void> {
  for (
    let waitedMs = 0;
    waitedMs < WRITTEN_WITHIN_MS && (await sumOfResolvConf(engine)) === before;
    waitedMs += 100
  )
    await sleep(100);
  await engine.locked(`look at ${RESOLV_CONF}`, async () => {
    const { journal } = loadChange(engine.stores, engine.world, id);
    const entry = wayBack(engine, id);
    const run = entry === undefined ? undefined : putBackWhere(entry.undo.run, await sumOfResolvConf(engine));
    if (journal === undefined || entry === undefined || run === undefined) return;
    const undo = { ...entry.undo, run };
    journal.change([{ n: entry.n, undo, byHand: renderByHand(undo) }]);
    await rearmTrial(engine, id, journal);
  });
}

/** What is to be told before it is taken back: somebody's work since, which stays. */
export async function editedSince(engine: Engine, id: string): Promise<readonly string[]> {
  const entry = wayBack(engine, id);
  const sum = entry === undefined ? undefined : sumIn(entry.undo.run);
  if (entry === undefined || sum === undefined || (await sumOfResolvConf(engine)) === sum) return [];
  const lines = (entry.undo.stdin ?? '').split('\n').filter((line) => line !== '' && !/^[#;]/.test(line));
  return [`left alone: ${RESOLV_CONF} was changed since; before the bridge it had: ${lines.join('; ')}`];
}
