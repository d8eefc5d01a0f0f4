/** The little that a hook must know of the host. QEMU waits, so each question is one process at most. */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { LinkFact } from '../../plan/facts.ts';
import type { PlugFacts } from '../../plan/hook/plug.ts';
import type { Argv } from '../../plan/step.ts';
import { batchText } from '../../plan/words.ts';
import { linkFact } from '../facts.ts';
import type { Host, RunResult } from '../port.ts';

const TIMEOUT_MS = 10_000;
export type Row = Record<string, unknown>;
export type TapFacts = Omit<PlugFacts, 'bridge'>;

/** The tap, and the link that `bridge` is a name or an alternative name of. Throws QL_NO_TAP (exit 3), QL_IP. */
export async function lookAt(
  host: Pick<Host, 'run'>,
  ifname: string,
  bridge: string,
): Promise<{ readonly tap: TapFacts; readonly named?: LinkFact }> {
  const lines = [ifname, bridge].map((dev) => ({ words: ['link', 'show', 'dev', dev] as const }));
  const result = await ask(host, ['ip', '-d', '-j', '-force', '-batch', '-'], batchText(lines));
  const rows = rowsOf(result);
  const row = rows.find(({ ifname: name, altnames }) => [name, ...names(altnames)].includes(bridge));
  return { tap: tapOf(rows, ifname), ...(row === undefined ? {} : { named: linkFact(row) }) };
}

const names = (altnames: unknown): readonly unknown[] => (Array.isArray(altnames) ? altnames : []);

export async function lookForBridges(host: Pick<Host, 'run'>): Promise<readonly LinkFact[]> {
  const result = await ask(host, ['ip', '-d', '-j', 'link', 'show', 'type', 'bridge']);
  return rowsOf(result).map((row) => linkFact(row));
}

export async function ask(host: Pick<Host, 'run'>, argv: Argv, stdin?: string): Promise<RunResult> {
  const result = await host.run(argv, { timeoutMs: TIMEOUT_MS, ...(stdin === undefined ? {} : { stdin }) });
  // With -force it ends with a status although everything else was answered.
  if (result.status === 0 || (stdin !== undefined && result.status === 1)) return result;
  throw new QlaunchError('QL_IP', EXIT.host, {
    what: 'cannot read the network of this host',
    why: [result.timedOut ? 'ip did not answer in time' : result.stderr.trim() || 'ip gave no answer'],
    todo: [argv.join(' ')],
  });
}

/** Each answer of a batch is a line of its own; `{}` stands for what was filtered out. */
export function rowsOf({ stdout }: RunResult): readonly Row[] {
  const lists = stdout.split('\n').filter((line) => line.trim() !== '');
  return lists.flatMap((line) => JSON.parse(line) as Row[]).filter((row) => 'ifname' in row || 'dst' in row);
}

export function tapOf(rows: readonly Row[], ifname: string): TapFacts {
  const row = rows.find((one) => one['ifname'] === ifname);
  if (row === undefined) {
    throw new QlaunchError('QL_NO_TAP', EXIT.refused, {
      what: `there is no interface ${ifname}`,
      why: ['QEMU makes the tap before it calls this program, in its own network namespace'],
      todo: ['ip -br link', '-netdev tap,id=n0,ifname=NAME,script=…'],
    });
  }
  const info = row['linkinfo'] as { readonly info_data?: { readonly persist?: unknown } } | undefined;
  return { tap: linkFact(row), goesAway: info?.info_data?.persist === false };
}
