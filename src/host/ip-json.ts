/** `ip -j` and `bridge -j`, parsed. */
import { EXIT, QlaunchError } from '../errors.ts';
import { installLine } from '../plan/packages.ts';
import type { Argv } from '../plan/step.ts';
import type { Host } from './port.ts';

/** One object of the list; `ip -j` leaves `{}` for what it filtered out. */
export type Raw = Readonly<Record<string, unknown>>;

/**
 * The kernel lets an interface's name and alias hold control bytes (dev_valid_name() in net/core/dev.c forbids only
 * white space, "/" and ":"), and iproute2 writes them as they are, which is no JSON. They become U+FFFD, here and
 * wherever else a name of the kernel's is read.
 */
export function plainName(text: string): string {
  return text.replace(/[\u0000-\u001f]/g, '\uFFFD');
}

/** Runs `ip -j …` or `bridge -j …` and gives its list. Throws QL_IP when it fails. */
export async function askJson(host: Pick<Host, 'run'>, argv: Argv): Promise<readonly Raw[]> {
  const result = await host.run(argv, { timeoutMs: 10_000 });
  if (result.status !== 0) {
    const isMissing = result.status === null && /^spawn \S+ ENOENT$/.test(result.stderr.trim());
    throw new QlaunchError('QL_IP', EXIT.host, {
      what: 'cannot read the network of this host',
      why: [
        isMissing
          ? `there is no program ${argv[0]} in PATH`
          : result.stderr.trim() || `${argv[0]} gave no answer`,
      ],
      todo: [isMissing ? installLine([argv[0]]) : argv.join(' ')],
    });
  }
  const rows: unknown = JSON.parse(plainName(result.stdout.trim()) || '[]');
  return Array.isArray(rows) ? rows.filter(isObject) : [];
}

export function isObject(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
export const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
