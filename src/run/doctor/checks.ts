/** The table of `qlaunch doctor`: a new check is one more row. Nothing here changes the host. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { bridgeFilter } from '../../host/doctor/bridge-filter.ts';
import { bridgeHelperFindings } from '../../host/doctor/bridge-helper.ts';
import type { DoctorContext } from '../../host/doctor/context.ts';
import { tunFindings, vhostFindings } from '../../host/doctor/devices.ts';
import { environmentFindings } from '../../host/doctor/environment.ts';
import { kvmFindings, qemuFindings } from '../../host/doctor/qemu.ts';
import { bridgeFindings } from '../../plan/doctor/bridges.ts';
import type { Finding } from '../../plan/doctor/finding.ts';
import { macFindings } from '../../plan/doctor/macs.ts';
import { type Board, boardOf } from '../../plan/map/board.ts';
import type { Engine } from '../engine.ts';
import { lookAtBoard } from '../map/look.ts';
import { leftOverFindings } from './left-overs.ts';
import { tapFilterFindings } from './tap-filter.ts';

interface CheckContext extends DoctorContext {
  readonly engine: Engine;
  /** One look for all checks. Errors: QL_IP. */
  readonly board: () => Promise<Board>;
}

interface Check {
  /** Also the id of what it says when it could not look. */
  readonly id: string;
  readonly looksAt: string;
  readonly look: (context: CheckContext) => readonly Finding[] | Promise<readonly Finding[]>;
}

export const CHECKS: readonly Check[] = [
  { id: 'qemu', looksAt: 'QEMU and the programs beside it', look: qemuFindings },
  { id: 'kvm', looksAt: '/dev/kvm, with a guest of its own', look: kvmFindings },
  { id: 'tun', looksAt: 'the tun driver and /dev/net/tun', look: tunFindings },
  { id: 'vhost-net', looksAt: '/dev/vhost-net', look: vhostFindings },
  {
    id: 'bridge',
    looksAt: 'bridges and their ports',
    look: async ({ board }) => bridgeFindings(await board()),
  },
  {
    id: 'bridge-helper',
    looksAt: 'QEMU’s bridge helper and bridge.conf',
    look: async (context) => bridgeHelperFindings(context, await context.board()),
  },
  {
    id: 'bridge-filter',
    looksAt: 'br_netfilter and the FORWARD chains',
    look: async (context) => bridgeFilter(context, await context.board()),
  },
  {
    id: 'mac',
    looksAt: 'MAC addresses of running VMs',
    look: async ({ board }) => macFindings((await board()).vms),
  },
  {
    id: 'tap-filter',
    looksAt: 'rules for what comes from taps',
    look: ({ engine, who }) => tapFilterFindings(engine, who.root),
  },
  {
    id: 'left-overs',
    looksAt: 'changes that killed runs left',
    look: ({ engine, who }) => leftOverFindings(engine, who.root),
  },
  { id: 'node-environment', looksAt: 'NODE_EXTRA_CA_CERTS, NODE_OPTIONS', look: environmentFindings },
];

export interface CheckedFinding extends Finding {
  /** The row of the table. */
  readonly check: string;
  readonly looksAt: string;
}

export interface Examination extends DoctorContext {
  readonly engine: Engine;
  /** Rows of the table; all unless given. */
  readonly only?: readonly string[];
  /** Told as they come. */
  readonly onFound?: (finding: CheckedFinding) => void;
}

/** Every check, also after one that failed. The same thing seen by two checks is said once, by the first. */
export async function examine(given: Examination): Promise<readonly CheckedFinding[]> {
  const { only, onFound } = given;
  let look: Promise<Board> | undefined;
  const board = (): Promise<Board> => {
    look ??= lookAtBoard(given.host, given.who, given.env).then((facts) => boardOf(facts));
    return look;
  };
  const found: CheckedFinding[] = [];
  for (const { id: check, looksAt, look: run } of CHECKS) {
    if (only !== undefined && !only.includes(check)) continue;
    const findings = await Promise.resolve({ ...given, board })
      .then(run)
      .catch((error) => [notLooked(check, error)]);
    for (const finding of findings) {
      if (found.some((other) => other.id === finding.id && other.about === finding.about)) continue;
      found.push({ ...finding, check, looksAt });
      onFound?.({ ...finding, check, looksAt });
    }
  }
  return found;
}

function notLooked(id: string, error: unknown): Finding {
  if (!(error instanceof QlaunchError) || error.exit === EXIT.bug) throw error;
  const { message, why, todo } = error;
  return { id, state: 'problem', fact: [message, ...why].join(': '), cure: todo };
}
