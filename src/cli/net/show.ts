/** qlaunch net list | leases: without the XML library. */
import { EXIT } from '../../errors.ts';
import { readLeaseFile } from '../../host/nat/leases.ts';
import { definedNames } from '../../host/nat/places.ts';
import { noNetwork } from '../../run/nat/names.ts';
import { needsMending } from '../../run/nat/state.ts';
import { requireRoot } from '../root.ts';
import { json, note, out, table } from '../terminal.ts';
import { activeNow, context } from './context.ts';

export interface ListOptions {
  readonly all?: boolean;
  readonly json?: boolean;
}

export async function list(options: ListOptions): Promise<number> {
  const active = await activeNow();
  const others = options.all === true ? definedNames(context().places) : [];
  const idle = others.filter((name) => active.every((one) => one.name !== name));
  const rows = [
    ...active.map((one) => ({ ...one, active: true })),
    ...idle.map((name) => ({ name, active: false })),
  ];
  if (options.json === true) json(rows);
  else if (rows.length === 0)
    note(
      options.all === true ? 'no network is defined' : 'no network is started; try: qlaunch net list --all',
    );
  else
    out(
      table(
        ['NETWORK', 'STATE', 'BRIDGE', 'MODE', 'ADDRESS', 'PORTS'],
        [
          ...active.map((one) => [
            one.name,
            needsMending(one) ? 'started, dnsmasq has ended' : 'started',
            one.bridge,
            one.mode,
            one.addresses.join(','),
            `${one.ports.length}`,
          ]),
          ...idle.map((name) => [name, 'stopped', '-', '-', '-', '-']),
        ],
      ),
    );
  return EXIT.ok;
}

export async function leases(name: string, options: { readonly json?: boolean }): Promise<number> {
  const { places } = context();
  requireRoot('only root may read the leases');
  const active = await activeNow();
  if (!definedNames(places).includes(name) && active.every((one) => one.name !== name))
    throw noNetwork(name, definedNames(places));
  const rows = readLeaseFile(places.paths(name).leases);
  if (options.json === true) json(rows);
  else if (rows.length === 0) note(`no guest of ${name} has an address`);
  else
    out(
      table(
        ['ADDRESS', 'MAC', 'NAME', 'UNTIL (UTC)'],
        rows.map(({ address, mac, name: host, expires }) => [
          address,
          mac ?? '-',
          host ?? '-',
          expires === undefined ? 'for ever' : expires.slice(0, 16).replace('T', ' '),
        ]),
      ),
    );
  return EXIT.ok;
}
