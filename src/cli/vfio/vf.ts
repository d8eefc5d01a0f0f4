/** qlaunch vfio vf create | list | set | release */
import { EXIT, QlaunchError } from '../../errors.ts';
import { planJson, renderPlan } from '../../plan/render.ts';
import { vfRule } from '../../plan/vfio/persist.ts';
import type { VfSettings } from '../../plan/vfio/vf.ts';
import type { Engine } from '../../run/engine.ts';
import { openEngine } from '../../run/open-engine.ts';
import { planUndo } from '../../run/recover.ts';
import {
  changesOfPf,
  createVfs,
  listVfs,
  type Made,
  prepareSet,
  prepareVfs,
  releaseVfs,
  setVf,
  type VfRow,
} from '../../run/vfio/vf.ts';
import { parseMac } from '../../spec/mac.ts';
import { parseSwitch, parseWhole } from '../../spec/number.ts';
import { Gathering } from '../../spec/raw.ts';
import { planned, told } from '../changes.ts';
import { requireRoot } from '../root.ts';
import { advise, json, note, out, table } from '../terminal.ts';
import { readSelector } from './selector.ts';

declare const QLAUNCH_VERSION: string;

const engineNow = (): Engine => openEngine({ tool: `qlaunch ${QLAUNCH_VERSION}` });
const ROOTS = 'only root may make and set virtual functions';

interface Show {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export interface CreateOptions extends Show {
  readonly persist?: boolean;
}

export async function create(text: string, countText: string, options: CreateOptions): Promise<number> {
  const gathering = new Gathering();
  const count = gathering.take(parseWhole(countText, 'COUNT', 1, 65_535));
  if (count === undefined) throw wrong(gathering);
  const wish = { pf: readSelector(text, 'PF'), count, persist: options.persist === true };
  const engine = engineNow();
  if (options.dryRun === true) return show(await prepareVfs(engine, wish), options);
  requireRoot(ROOTS);
  const { pf } = await prepareVfs(engine, wish);
  const rows = await createVfs(engine, wish);
  if (options.json === true) json(rows);
  else {
    out(render(rows));
    advise(
      `  use      qlaunch IMAGE --net vf:${pf.address}\n  release  sudo qlaunch vfio vf release ${pf.address}`,
    );
    if (!wish.persist)
      note(
        `until the next boot; to keep them, --persist, or this rule for udev:\n${vfRule(pf, count).trimEnd()}`,
      );
  }
  return EXIT.ok;
}

export async function list(text: string, options: Show): Promise<number> {
  const rows = await listVfs(engineNow(), readSelector(text, 'PF'));
  if (options.json === true) json(rows);
  else if (rows.length === 0) note(`there are none: sudo qlaunch vfio vf create ${text} 1`);
  else out(render(rows));
  return EXIT.ok;
}

function render(rows: readonly VfRow[]): string {
  const onOff = (value: boolean | undefined): string => (value === undefined ? '-' : value ? 'on' : 'off');
  return table(
    ['VF', 'ADDRESS', 'MAC', 'VLAN', 'SPOOFCHK', 'TRUST', 'RATE', 'DRIVER', 'GROUP', 'NOTE'],
    rows.map(({ index, address, admin, driver, group, taken }) => [
      `${index}`,
      address,
      admin?.mac ?? '-',
      admin === null || admin.vlan === 0 ? '-' : `${admin.vlan}`,
      onOff(admin?.spoofchk),
      onOff(admin?.trust),
      admin === null || admin.maxRate === 0 ? '-' : `${admin.maxRate}`,
      driver ?? '-',
      group === null ? '-' : `${group}`,
      taken ?? 'free',
    ]),
  );
}

export async function set(text: string, words: readonly string[], options: Show): Promise<number> {
  const selector = readSelector(text, 'VF');
  const settings = readSettings(words);
  const engine = engineNow();
  if (options.dryRun === true) return show(await prepareSet(engine, selector, settings), options);
  requireRoot(ROOTS);
  await setVf(engine, selector, settings);
  if (options.json === true) json({ vf: text, ...settings });
  else out(`${text}: ${words.join(' ')}`);
  return EXIT.ok;
}

function readSettings(words: readonly string[]): VfSettings {
  const gathering = new Gathering();
  const found: Record<string, string | number | boolean | undefined> = {};
  const readers: Readonly<Record<string, (value: string) => string | number | boolean | undefined>> = {
    mac: (value) => gathering.take(parseMac(value, 'mac')),
    vlan: (value) => gathering.take(parseWhole(value, 'vlan', 0, 4094)),
    qos: (value) => gathering.take(parseWhole(value, 'qos', 0, 7)),
    rate: (value) => gathering.take(parseWhole(value, 'rate', 0, 1_000_000)),
    spoofchk: (value) => gathering.take(parseSwitch(value, 'spoofchk')),
    trust: (value) => gathering.take(parseSwitch(value, 'trust')),
  };
  for (const word of words) {
    const cut = word.indexOf('=');
    const reader = cut < 0 ? undefined : readers[word.slice(0, cut)];
    if (reader === undefined)
      gathering.refuse(
        word,
        'is no setting of a virtual function',
        `one of ${Object.keys(readers).join('=, ')}=`,
      );
    else found[word.slice(0, cut)] = reader(word.slice(cut + 1));
  }
  if (gathering.problems.length > 0) throw wrong(gathering);
  return found;
}

export async function release(text: string, options: Show): Promise<number> {
  const selector = readSelector(text, 'PF');
  const engine = engineNow();
  if (options.dryRun === true)
    return planned(
      (await changesOfPf(engine, selector)).map((id) => planUndo(engine, id)),
      options,
    );
  requireRoot(ROOTS);
  return told(await releaseVfs(engine, selector), options);
}

function show({ plan }: Made, options: Show): number {
  if (options.json === true) json(planJson(plan));
  else out(renderPlan(plan).trimEnd() || '# nothing to do');
  return EXIT.ok;
}

function wrong({ problems }: Gathering): QlaunchError {
  return new QlaunchError('QL_USAGE', EXIT.usage, {
    what: 'this is not understood',
    why: problems.map(({ at, what, hint }) => `${at}: ${what}${hint === undefined ? '' : ` (${hint})`}`),
  });
}
