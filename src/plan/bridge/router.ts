/**
 * Default routes that the kernel has from router advertisements. One that somebody adds with the same gateway and
 * metric is not the kernel's own, and in its way: the next advertisement from there is dropped after its first part,
 * with the prefixes in it, so that addresses are not renewed any more and vanish at the end of their time (rt is NULL
 * after rt6_add_dflt_router() in ndisc_router_discovery(), linux/net/ipv6/ndisc.c; seen on 6.18). So another metric
 * bridges the moments until the router has answered.
 */
import { type Argv, DEADLINE_MS, type Step } from '../step.ts';
import type { Layer3 } from './layer3.ts';
import type { Route } from './route.ts';

export interface Learnt {
  readonly gateway: string;
  /** The kernel's (ra_defrtr_metric). */
  readonly metric: number;
  /** Of ours. */
  readonly meanwhile: number;
}

/** None where the kernel takes no advertisements: then the routes are some program's, and moved like any other. */
export function learntDefaults({ link, acceptsRa, routes }: Layer3): readonly Learnt[] {
  if (acceptsRa !== true) return [];
  const found = new Map<string, number>();
  for (const { family, row } of routes) {
    const { gateway, metric } = { gateway: row['gateway'], metric: Number(row['metric']) };
    const isLearnt = family === 'inet6' && row['dst'] === 'default' && row['protocol'] === 'ra';
    if (!isLearnt || row['dev'] !== link || typeof gateway !== 'string' || !('expires' in row)) continue;
    found.set(gateway, Math.min(metric, found.get(gateway) ?? metric));
  }
  return [...found].map(([gateway, metric], index) => ({ gateway, metric, meanwhile: metric + 1 + index }));
}

/** All routes, with the learnt ones as they are for the time being. */
export function withMeanwhile(layer: Layer3): readonly Route[] {
  const learnt = learntDefaults(layer);
  return layer.routes.flatMap((route) => {
    const { family, row } = route;
    const one = learnt.find(
      ({ gateway }) =>
        family === 'inet6' &&
        row['dst'] === 'default' &&
        row['dev'] === layer.link &&
        row['gateway'] === gateway &&
        row['protocol'] === 'ra',
    );
    if (one === undefined) return [route];
    return row['metric'] === one.metric ? [{ family, row: { ...row, metric: one.meanwhile } }] : [];
  });
}

/**
 * Takes ours away as soon as the kernel has its own: a router answers a new link-local address (RFC 4861, 6.2.6: within
 * half a second, or 3 s after its last one). One that stays silent is waited for no longer; ours then stays until it
 * expires, behind the kernel's.
 */
const LEARN = [
  'link=$1 left=45',
  'shift',
  'while [ $# -gt 0 ]; do',
  '  has() { [ -n "$(ip -6 route show default via "$1" dev "$link" metric "$2")" ]; }',
  '  until has "$1" "$2" || [ "$left" -le 0 ]; do sleep 0.1; left=$((left - 1)); done',
  '  ! has "$1" "$2" || ip -6 route del default via "$1" dev "$link" metric "$3" 2> /dev/null || :',
  '  shift 3',
  'done',
].join('\n');

export const learnArgv = (link: string, learnt: readonly Learnt[]): Argv => [
  ...(['sh', '-c', LEARN, 'sh', link] as const),
  ...learnt.flatMap(({ gateway, metric, meanwhile }) => [gateway, String(metric), String(meanwhile)]),
];

/** The title of the step whose undo leaves the NIC's default routes to its router. */
export const relearnTitle = (nic: string): string => `see what routers told ${nic}`;

/** First, so that it is undone last: as long as the bridge is there, the way back is not open. */
export function relearn(nic: string, uplink: Layer3): readonly Step[] {
  const learnt = learntDefaults(uplink);
  if (learnt.length === 0) return [];
  return [
    {
      title: relearnTitle(nic),
      do: { run: ['ip', '-6', 'route', 'show', 'dev', nic, 'proto', 'ra'] },
      undo: { run: learnArgv(nic, learnt), gone: [] },
      deadlineMs: DEADLINE_MS,
    },
  ];
}

export function learn(bridge: string, arriving: Layer3): readonly Step[] {
  const learnt = learntDefaults(arriving);
  if (learnt.length === 0) return [];
  return [
    {
      title: `leave the default route of ${bridge} to its router's advertisements, once one is there`,
      do: { run: learnArgv(bridge, learnt) },
      undo: { nothing: `goes away with ${bridge}` },
      deadlineMs: DEADLINE_MS,
    },
  ];
}
