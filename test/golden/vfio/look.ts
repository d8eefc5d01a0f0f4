/** Facts of a fixture: the tree, and what ip(8) would say about its interfaces. */
import { execFileSync } from 'node:child_process';
import type { RunResult } from '../../../src/host/port.ts';
import { readVfioFacts } from '../../../src/host/vfio/facts.ts';
import type { VfioFacts } from '../../../src/plan/vfio/facts.ts';
import { pciTree } from '../../pci-tree.ts';

export interface Network {
  /** Rows of `ip -j -d link`. */
  readonly links?: readonly object[];
  /** By interface. */
  readonly addresses?: Readonly<Record<string, string>>;
  /** Rows of `ip -j route show table all`. */
  readonly routes?: readonly object[];
  /** By destination: the row of `ip -j route get`. */
  readonly routeTo?: Readonly<Record<string, object>>;
  readonly env?: Readonly<Record<string, string>>;
}

const told = (stdout: string, status = 0): RunResult => ({
  status,
  signal: null,
  stdout,
  stderr: '',
  timedOut: false,
});

export function factsOf(tree: string, network: Network = {}): Promise<VfioFacts> {
  const { root } = pciTree(tree);
  const ip = (words: readonly string[]): unknown => {
    if (words.includes('get')) return [network.routeTo?.[words.at(-1) ?? '']].filter(Boolean);
    if (words.includes('route')) return words.includes('-6') ? [] : (network.routes ?? []);
    if (words.includes('address'))
      return Object.entries(network.addresses ?? {}).map(([ifname, text]) => ({
        ifname,
        addr_info: [{ local: text.split('/')[0], prefixlen: Number(text.split('/')[1]) }],
      }));
    return network.links ?? [];
  };
  const host = {
    run: async ([program, ...words]: readonly string[]): Promise<RunResult> =>
      program === 'ip'
        ? told(JSON.stringify(ip(words)))
        : told(execFileSync(program ?? '', words, { encoding: 'utf8' })),
  };
  return readVfioFacts(host, { root, env: network.env ?? {}, pid: 0 });
}

export const nic = (ifname: string, more: object = {}): object => ({
  ifname,
  mtu: 1500,
  flags: ['BROADCAST'],
  address: '02:00:00:00:00:01',
  ...more,
});
