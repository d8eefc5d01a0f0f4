/** A host on which the program nft is missing, and Debian's iptables is there: unpacked, not installed. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { differences, type Snapshot, snapshot } from '../snapshot.ts';
import { scratchDir } from './guest.ts';

const SCRIPT = new URL('../../scripts/firewalls', import.meta.url).pathname;

export interface IptablesHost {
  /** All rules of both families, without what counts by itself. */
  readonly rules: () => string;
  readonly snapshot: () => Snapshot;
  /** What is otherwise than before. */
  readonly since: (before: Snapshot) => readonly string[];
  /** Whoever calls iptables-restore from now on is killed when that is done; gives back the other behaviour. */
  readonly deadly: () => () => void;
  /** nft is there from now on; gives back that it is missing. */
  readonly nftComes: () => () => void;
}

const sh = (line: string): string => execFileSync('sh', ['-c', line], { encoding: 'utf8' });

/**
 * A directory with `iptables`, `iptables-save`, `iptables-restore` and those of IPv6, first on the PATH until the test ends.
 * @param ending of the names: "iptables-legacy"
 * @param end lines for sh behind each, which end with its status
 */
export function unpackedIptables(kind: 'nft' | 'legacy', ending = '', end: readonly string[] = []): string {
  const bin = scratchDir();
  const root = execFileSync(SCRIPT, { encoding: 'utf8' }).trim();
  const [libraries, others] = ['usr/lib', 'lib'].map((lib) => `${root}/${lib}/x86_64-linux-gnu`);
  const env = `LD_LIBRARY_PATH=${libraries}:${others} XTABLES_LIBDIR=${libraries}/xtables`;
  for (const program of ['iptables', 'ip6tables'])
    for (const verb of ['', '-save', '-restore']) {
      const line = `${env} ${root}/usr/sbin/${program}-${kind}${verb} "$@"`;
      const lines = ['#!/bin/sh', line, 'status=$?', ...(verb === '-restore' ? end : []), 'exit $status'];
      writeFileSync(join(bin, `${program}${ending}${verb}`), `${lines.join('\n')}\n`, { mode: 0o755 });
    }
  first(bin);
  return bin;
}

function first(bin: string): void {
  const path = process.env['PATH'];
  process.env['PATH'] = `${bin}:${path}`;
  onTestFinished(() => {
    process.env['PATH'] = path;
  });
}

export function onlyIptables(kind: 'nft' | 'legacy'): IptablesHost {
  const dir = scratchDir();
  const [fatal, elsewhere] = [join(dir, 'fatal'), join(dir, 'nft')];
  mkdirSync(elsewhere);
  const nft = realpathSync(sh('command -v nft').trim());
  copyFileSync(nft, join(elsewhere, 'nft'));
  execFileSync('mount', ['--bind', '/dev/null', nft]);
  onTestFinished(() => void execFileSync('umount', [nft]));
  unpackedIptables(kind, '', [`[ ! -e ${fatal} ] || kill -9 $PPID`]);
  const nftComes = (): (() => void) => {
    const now = process.env['PATH'];
    process.env['PATH'] = `${elsewhere}:${now}`;
    return () => {
      process.env['PATH'] = now;
    };
  };
  const withNft = <T>(look: () => T): T => {
    const nftGoes = nftComes();
    try {
      return look();
    } finally {
      nftGoes();
    }
  };
  onTestFinished(() => {
    const flush = ['raw', 'mangle', 'filter', 'nat'].flatMap((table) => [
      `iptables -t ${table} -F`,
      `iptables -t ${table} -X`,
    ]);
    const open = ['INPUT', 'FORWARD'].map((chain) => `iptables -P ${chain} ACCEPT`);
    sh([...open, ...flush].flatMap((line) => [line, line.replace('iptables', 'ip6tables')]).join('\n'));
    withNft(() => sh('nft flush ruleset'));
  });
  return {
    rules: () => sh('iptables-save; ip6tables-save').replace(/^#.*\n|\[\d+:\d+\]/gm, ''),
    snapshot: () => withNft(() => snapshot()),
    // A chain of iptables-nft's own is there from its first rule on; its rules are compared by rules().
    since: (before) =>
      withNft(() => differences(before, snapshot())).filter((line) => !/^[-+] nft /.test(line)),
    deadly: () => {
      writeFileSync(fatal, '');
      return () => rmSync(fatal);
    },
    nftComes,
  };
}
