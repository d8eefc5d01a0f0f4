/** A process of ours in a network namespace of its own, which goes when it does. */
import { spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProbeAnswer, ProbeOrder } from '../../plan/nat/probe.ts';
import { ownArgv } from '../program.ts';

export interface Prober {
  readonly pid: number;
  /** What it heard; undefined: it did not come to its end. */
  readonly answer: Promise<ProbeAnswer | undefined>;
  end(): void;
}

const POLL_MS = 10;
const START_MS = 5_000;

/** undefined: it could not be started, or not in a namespace of its own. */
export async function startProber(order: ProbeOrder): Promise<Prober | undefined> {
  const [program, ...words] = ownArgv();
  const argv = ['--net', '--', program, ...words, 'net', 'probe', JSON.stringify(order)];
  // Its standard input ends with us, and it with that.
  const child = spawn('unshare', argv, { stdio: ['pipe', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  const answer = new Promise<ProbeAnswer | undefined>((resolve) => {
    child.once('error', () => resolve(undefined));
    child.once('close', (status) => resolve(status === 0 ? (JSON.parse(text) as ProbeAnswer) : undefined));
  });
  const end = (): void => void child.kill('SIGKILL');
  const { pid } = child;
  for (let waited = 0; pid !== undefined && waited < START_MS; waited += POLL_MS) {
    if (namespaceOf(pid) !== namespaceOf(process.pid)) return { pid, answer, end };
    await sleep(POLL_MS);
  }
  end();
  return undefined;
}

/** Its own until it is told: a process that is gone has ours. */
function namespaceOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return readlinkSync('/proc/self/ns/net');
  }
}
