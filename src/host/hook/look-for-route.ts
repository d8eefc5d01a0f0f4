/** What a hook asks when nobody names a bridge. */
import type { LinkFact } from '../../plan/facts.ts';
import { batchText } from '../../plan/words.ts';
import type { Host } from '../port.ts';
import { ask, lookForBridges, type Row, rowsOf, type TapFacts, tapOf } from './look.ts';

export interface RouteFacts {
  readonly tap: TapFacts;
  readonly bridges: readonly LinkFact[];
  /** Those of the default routes, IPv4 first, best first. */
  readonly devices: readonly string[];
}

/** The tap, all bridges, and where the default routes go. */
export async function lookForRoute(host: Pick<Host, 'run'>, ifname: string): Promise<RouteFacts> {
  const [tap, bridges, v4, v6] = await Promise.all([
    ask(
      host,
      ['ip', '-d', '-j', '-force', '-batch', '-'],
      batchText([{ words: ['link', 'show', 'dev', ifname] }]),
    ),
    lookForBridges(host),
    ask(host, ['ip', '-j', 'route', 'show', 'default']),
    // A kernel without IPv6 refuses the question.
    ask(host, ['ip', '-6', '-j', 'route', 'show', 'default']).catch(() => undefined),
  ]);
  return {
    tap: tapOf(rowsOf(tap), ifname),
    bridges,
    devices: [...routeDevices(rowsOf(v4)), ...(v6 === undefined ? [] : routeDevices(rowsOf(v6)))],
  };
}

/** Metrics are in the order of `ip`; a route of several hops names them apart. */
function routeDevices(rows: readonly Row[]): readonly string[] {
  return rows.flatMap((row) => {
    const hops = Array.isArray(row['nexthops']) ? (row['nexthops'] as Row[]) : [row];
    return hops.flatMap(({ dev }) => (typeof dev === 'string' ? [dev] : []));
  });
}
