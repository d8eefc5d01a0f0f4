/** qlaunch vfio list | explain */
import { EXIT } from '../../errors.ts';
import { stopping } from '../../plan/vfio/checks.ts';
import { renderExplained } from '../../plan/vfio/explain.ts';
import { isOfInterest, remarks, type VfioRow } from '../../plan/vfio/rows.ts';
import { openEngine } from '../../run/open-engine.ts';
import { explainOne, type Looked, listFunctions } from '../../run/vfio/look.ts';
import { advise, json, note, out, table } from '../terminal.ts';
import { readSelector } from './selector.ts';

declare const QLAUNCH_VERSION: string;

export interface ListOptions {
  readonly verbose?: boolean;
  readonly tree?: boolean;
  readonly json?: boolean;
}

export async function list(options: ListOptions): Promise<number> {
  const looked = await listFunctions(openEngine({ tool: `qlaunch ${QLAUNCH_VERSION}` }));
  if (options.json === true) json(looked.rows);
  else if (options.tree === true) out(renderTree(looked));
  else out(renderList(looked, options.verbose === true));
  if (!looked.facts.iommu) note('no IOMMU is at work on this host: qlaunch vfio explain SELECTOR tells more');
  return EXIT.ok;
}

/** Exit 3 when something stops it. */
export async function explain(text: string, options: ListOptions): Promise<number> {
  const explained = await explainOne(openEngine({ tool: `qlaunch ${QLAUNCH_VERSION}` }), readSelector(text));
  if (options.json === true) json(explained);
  else advise(renderExplained(explained));
  return stopping(explained.checks, []).length > 0 ? EXIT.refused : EXIT.ok;
}

export function renderList({ facts, rows }: Looked, verbose: boolean): string {
  const shown = verbose ? rows : rows.filter(({ address }) => isOfInterest(facts, address));
  if (shown.length === 0) return 'this host has no PCI NIC';
  if (!verbose)
    return table(
      ['ADDRESS', 'DEVICE', 'DRIVER', 'GROUP', 'NETDEV', 'NOTE'],
      shown.map((row) => [...common(row), remarks(row).join('; ')]),
    );
  return table(
    ['ADDRESS', 'DEVICE', 'DRIVER', 'GROUP', 'NETDEV', 'CLASS', 'NUMA', 'RESET', 'NOTE'],
    shown.map((row) => [
      ...common(row),
      row.class,
      row.numa === null ? '-' : `${row.numa}`,
      row.resets.join(',') || '-',
      [...remarks(row), ...row.disks, ...row.usb].join('; '),
    ]),
  );
}

function common(row: VfioRow): string[] {
  const name = row.name === undefined ? row.id : `${row.name} [${row.id}]`;
  const override =
    row.override === null || row.override === '' || row.override === row.driver ? '' : ` (${row.override})`;
  return [
    row.address,
    name,
    `${row.driver ?? '-'}${override}`,
    row.group === null ? '-' : `${row.group}`,
    row.netdevs.join(',') || '-',
  ];
}

/** One IOMMU group after the other: what goes together. */
export function renderTree({ facts, rows }: Looked): string {
  const lines: string[] = [];
  for (const { id, type } of facts.groups) {
    const members = rows.filter(({ group }) => group === id);
    lines.push(`group ${id}${type === undefined ? '' : ` (${type})`}`);
    for (const row of members)
      lines.push(`  ${[...common(row).filter((_, i) => i !== 3), row.class, ...remarks(row)].join('  ')}`);
  }
  const without = rows.filter(({ group }) => group === null);
  if (without.length > 0)
    lines.push('no group', ...without.map((row) => `  ${row.address}  ${row.id}  ${row.class}`));
  return lines.join('\n');
}
