/** What is on a link now, as far as a file can say it: for an uplink that no file names. */
import type { Layer3 } from '../layer3.ts';
import { type Route, usesLink } from '../route.ts';
import type { PersistWish, RouteWish } from './wish.ts';

/** Leased and learnt addresses are asked for again; routes of the kernel come by themselves. */
export function modelOf(facts: Layer3): Pick<PersistWish, 'addresses' | 'routes' | 'dhcp4' | 'ra'> {
  const leased = facts.addresses.some(({ family, validS }) => family === 'inet' && validS !== undefined);
  const learnt = facts.addresses.some(({ family, validS }) => family === 'inet6' && validS !== undefined);
  return {
    addresses: facts.addresses
      .filter(({ validS, scope, peer }) => validS === undefined && scope !== 'link' && peer === undefined)
      .map(({ local, prefixlen }) => `${local}/${prefixlen}`),
    routes: facts.routes.filter((route) => usesLink(route, facts.link)).flatMap(routeWish),
    dhcp4: leased,
    ra: learnt || facts.routes.some(({ row }) => row['protocol'] === 'ra' && row['dev'] === facts.link),
  };
}

function routeWish({ row }: Route): readonly RouteWish[] {
  const { dst, gateway, metric, protocol, table } = row;
  if (typeof gateway !== 'string' || protocol === 'dhcp' || protocol === 'ra') return [];
  if (table !== undefined && table !== 'main' && table !== 254) return [];
  return [
    {
      via: gateway,
      ...(dst === 'default' ? {} : { to: String(dst) }),
      ...(typeof metric === 'number' && metric > 0 ? { metric } : {}),
    },
  ];
}
