/** The VNC password: QEMU takes an empty one without a word, and looks at eight bytes of it. */
import { readFileSync, statSync } from 'node:fs';
import { shellWord } from '../../../plan/shell.ts';
import type { Argv } from '../../../plan/step.ts';
import type { Finding } from '../finding.ts';
import type { AskAs } from './paths.ts';

/** RFC 6143, 7.2.2: the password, cut off after eight bytes, is the DES key. */
const VNC_BYTES = 8;

interface Judged {
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
}

const NOTHING: Judged = { findings: [], notes: [] };

/** Says nothing about a file that cannot be read: checkReadableAs() does. */
export async function checkPassword(tools: AskAs, path: string | undefined): Promise<Judged> {
  const bytes = path === undefined ? undefined : await lengthOf(tools, path);
  if (path === undefined || bytes === undefined) return NOTHING;
  if (bytes > VNC_BYTES)
    return {
      findings: [],
      notes: [`VNC looks at the first ${VNC_BYTES} characters of a password; ${path} has ${bytes}`],
    };
  return bytes > 0 ? NOTHING : { findings: [empty(path)], notes: [] };
}

function empty(path: string): Finding {
  return {
    code: 'QL_VNC_PASSWORD',
    what: `the VNC password in ${path} is empty`,
    why: ['whoever reaches the port would get in'],
    todo: [`head -c 6 /dev/urandom | base64 > ${shellWord(path)}    makes one of 8 characters`],
  };
}

/** Bytes without the newline at the end; undefined when the file cannot be read. */
async function lengthOf({ host, runAs }: AskAs, path: string): Promise<number | undefined> {
  if (runAs.length === 0) return lengthHere(path);
  const script = '[ -f "$1" ] && text=$(cat -- "$1") || exit 1; printf %s "$text" | wc -c';
  const argv = [...runAs, '/bin/sh', '-c', script, 'sh', path] as unknown as Argv;
  const { status, stdout } = await host.run(argv, { timeoutMs: 10_000 });
  return status === 0 ? Number(stdout) : undefined;
}

function lengthHere(path: string): number | undefined {
  try {
    // A FIFO would keep us waiting.
    if (!statSync(path).isFile()) return undefined;
    return readFileSync(path).toString('latin1').replace(/\n+$/, '').length;
  } catch {
    return undefined;
  }
}
