/** What the kernel knows by a bridge's name. */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { Argv } from '../../plan/step.ts';
import type { Host } from '../port.ts';

export interface NamedLink {
  readonly name: string;
  /** Alternative names: the kernel takes them for the link in most places, the helper's list never does. */
  readonly altNames: readonly string[];
  readonly isBridge: boolean;
  readonly isUp: boolean;
}

const COMMAND: Argv = ['ip', '-j', '-d', 'link', 'show'];

/** Of this network namespace. Errors: QL_IP. */
export async function readLinks(host: Pick<Host, 'run'>): Promise<readonly NamedLink[]> {
  const { status, stdout, stderr } = await host.run(COMMAND, { timeoutMs: 10_000 });
  if (status !== 0)
    throw new QlaunchError('QL_IP', EXIT.host, {
      what: 'cannot read the network of this host',
      why: [stderr.trim() || 'ip gave no answer'],
      todo: [COMMAND.join(' ')],
    });
  // A name may hold control bytes, and ip prints them as they are.
  const rows: unknown = JSON.parse(stdout.replaceAll(/[\u0000-\u0009\u000b-\u001f]/g, '\uFFFD') || '[]');
  return Array.isArray(rows) ? rows.flatMap(namedLink) : [];
}

function namedLink(row: unknown): NamedLink[] {
  if (typeof row !== 'object' || row === null || !('ifname' in row)) return [];
  const { ifname, altnames, linkinfo, flags } = row as Record<string, unknown>;
  const kind = (linkinfo as { info_kind?: unknown } | undefined)?.info_kind;
  const texts = (value: unknown): readonly string[] =>
    Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
  return [
    {
      name: String(ifname),
      altNames: texts(altnames),
      isBridge: kind === 'bridge',
      isUp: texts(flags).includes('UP'),
    },
  ];
}

export function findLink(links: readonly NamedLink[], name: string): NamedLink | undefined {
  return links.find((link) => link.name === name) ?? links.find(({ altNames }) => altNames.includes(name));
}
