/** qlaunch net check [--fix] */
import { EXIT, printable, QlaunchError } from '../../errors.ts';
import { identity } from '../../host/vm/user.ts';
import type { NetFinding } from '../../plan/nat/check.ts';
import { checkNetworks, fixNetworks, previewFix, startedNames } from '../../run/nat/check.ts';
import { probeNetwork } from '../../run/nat/probe.ts';
import { lookAtNetworks } from '../../run/nat/state.ts';
import { listVms } from '../../run/vm/status.ts';
import { requireRoot } from '../root.ts';
import { advise, json, note, type Tint, tint } from '../terminal.ts';
import { context, type Show, showChange } from './context.ts';

export interface CheckOptions extends Show {
  readonly fix?: boolean;
  /** --no-probe */
  readonly probe?: boolean;
}

/** 0: all is well. 3: something is not, or no longer could be mended. */
export async function check(name: string | undefined, options: CheckOptions): Promise<number> {
  if (options.dryRun === true && options.fix !== true)
    throw new QlaunchError('QL_USAGE', EXIT.usage, {
      what: '--dry-run belongs to --fix: without it nothing is changed',
      todo: ['qlaunch net check --fix --dry-run', 'qlaunch net check'],
    });
  const place = { ...context(), vms: () => listVms(identity(process.env), process.env) };
  const { places } = place;
  // Firewalls are root's to read: without them a check would say that all is well.
  requireRoot('only root may see what the networks of this host need');
  const found = await checkNetworks(place, name);
  const probed = async (findings: readonly NetFinding[]): Promise<readonly NetFinding[]> =>
    options.probe === false ? findings : [...findings, ...(await probes(name))];
  if (options.fix !== true) return tell(await probed(found), [], options);
  if (options.dryRun === true) {
    const { taken, steps } = await previewFix(place, found);
    showChange(taken, { steps }, options);
    return EXIT.ok;
  }
  const mended = await fixNetworks(place, name === undefined ? startedNames(places) : [name]);
  // A cure counts only when it is seen to have worked.
  const after = await checkNetworks(place, name);
  // Of several firewalls one may stay closed.
  const isClosed = (of: string): boolean =>
    after.some(
      ({ about, id, state }) => id === 'net-firewall' && state === 'problem' && of === `${about}: ${id}`,
    );
  const done = mended.filter((one) => !isClosed(one));
  return tell(await probed(after), done, options);
}

/** Of those that run, one after the other. */
async function probes(name: string | undefined): Promise<readonly NetFinding[]> {
  const { engine, places } = context();
  const found: NetFinding[] = [];
  for (const network of await lookAtNetworks(engine, places)) {
    const one =
      name === undefined || name === network.name ? await probeNetwork(engine, places, network) : undefined;
    if (one !== undefined) found.push(one);
  }
  return found;
}

const TINTS: Readonly<Record<NetFinding['state'], Tint>> = { ok: 'green', warning: 'yellow', problem: 'red' };

function tell(found: readonly NetFinding[], mended: readonly string[], options: Show): number {
  const ok = found.every(({ state }) => state !== 'problem');
  if (options.json === true) {
    const findings = found.map(({ id, about, state, fact, cure }) => ({ id, about, state, fact, cure }));
    json({ ok, findings, mended });
  } else {
    for (const { about, state, fact, cure = [] } of found) {
      const cures = [...new Set(cure)].map((line) => `\n           try: ${printable(line)}`);
      advise(`${tint(TINTS[state], state.padEnd(8))} ${about}: ${printable(fact)}${cures.join('')}`);
    }
    for (const line of mended) note(`mended: ${line}`);
    if (found.length === 0) note('no network is started; try: qlaunch net list --all');
  }
  return ok ? EXIT.ok : EXIT.refused;
}
