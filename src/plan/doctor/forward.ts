/**
 * br_netfilter sends what crosses a bridge through iptables' and nftables' FORWARD too, and there Docker, ufw and
 * firewalld drop what they do not know (docker/for-linux#949). Pure: from the text of `nft list ruleset`.
 */
import { shellWord } from '../shell.ts';
import type { Finding } from './finding.ts';

/** A chain that packets between two ports meet, and that drops what it has no rule for. */
interface ForwardDrop {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
}

/** Tables as nft prints them: a tab for chains, two for their lines. */
function forwardDrops(ruleset: string): readonly ForwardDrop[] {
  return tables(ruleset).flatMap(({ family, name, chains }) =>
    /^(ip|ip6|inet)$/.test(family)
      ? chains
          .filter(({ lines }) => isForward(lines) && (hasDropPolicy(lines) || endsInDrop(lines)))
          .map((chain) => ({ family, table: name, chain: chain.name }))
      : [],
  );
}

/** Whether a rule lets packets between the bridge's ports go on. Rules that name other things are not weighed. */
function letsPass(ruleset: string, { family, table }: ForwardDrop, bridge: string): boolean {
  const own = tables(ruleset).filter((one) => one.family === family && one.name === table);
  const name = bridge.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const rule = new RegExp(
    `^(iifname "${name}"( oifname "${name}")?|oifname "${name}"|.*physdev.*)( counter packets \\d+ bytes \\d+)?( accept)`,
  );
  return own.some(({ chains }) =>
    chains.some(({ lines }) => !isOtherHook(lines) && lines.some((line) => rule.test(line))),
  );
}

export function bridgeFilterFindings(
  ruleset: string,
  bridges: readonly string[],
  hasDocker: boolean,
): readonly Finding[] {
  const id = 'bridge-filter';
  const drops = forwardDrops(ruleset);
  return bridges.flatMap((bridge): readonly Finding[] => {
    const inTheWay = drops.filter((one) => !letsPass(ruleset, one, bridge));
    if (inTheWay.length === 0)
      return [{ id, about: bridge, state: 'ok', fact: 'packets between its ports pass the firewall' }];
    const word = shellWord(bridge);
    return inTheWay.map(({ family, table, chain }) => {
      const into = hasDocker && family === 'ip' && table === 'filter' ? 'DOCKER-USER' : chain;
      return {
        id,
        about: `${bridge} in ${family} ${table}`,
        state: 'problem',
        fact: `br_netfilter is on, and the chain ${chain} drops packets between its ports`,
        cure: [
          `sudo nft insert rule ${family} ${table} ${into} iifname ${word} oifname ${word} accept`,
          'or for all bridges: sudo sysctl net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0',
        ],
      };
    });
  });
}

interface Chain {
  readonly name: string;
  readonly lines: readonly string[];
}

function tables(ruleset: string): readonly { family: string; name: string; chains: readonly Chain[] }[] {
  return ruleset.split(/^(?=table )/m).flatMap((text) => {
    const [, family, name] = /^table (\S+) (\S+) \{/.exec(text) ?? [];
    if (family === undefined || name === undefined) return [];
    const chains = [...text.matchAll(/^\tchain (\S+) \{\n((?:\t\t.*\n|\n)*)\t\}/gm)].map(
      ([, chain = '', body = '']) => ({
        name: chain,
        lines: body.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()])),
      }),
    );
    return [{ family, name, chains }];
  });
}

const isForward = (lines: readonly string[]): boolean =>
  lines.some((line) => /^type filter hook forward /.test(line));
const isOtherHook = (lines: readonly string[]): boolean =>
  lines.some((line) => /^type \S+ hook (?!forward )/.test(line));
const hasDropPolicy = (lines: readonly string[]): boolean =>
  lines.some((line) => /^type .*; policy drop;/.test(line));
const endsInDrop = (lines: readonly string[]): boolean =>
  /^(counter packets \d+ bytes \d+ )?(drop|reject\b.*)$/.test(lines.at(-1) ?? '');
