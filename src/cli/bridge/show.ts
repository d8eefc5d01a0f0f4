/** qlaunch bridge show. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { type BridgeRow, listBridges } from '../../run/bridge/show.ts';
import { json, note, out, table } from '../terminal.ts';
import { engineNow } from './made.ts';

export async function show(name: string | undefined, options: { readonly json?: boolean }): Promise<number> {
  const all = await listBridges(engineNow());
  const bridges = name === undefined ? all : all.filter((row) => row.name === name);
  if (name !== undefined && bridges.length === 0) {
    throw new QlaunchError('QL_NO_BRIDGE', EXIT.usage, {
      what: `there is no bridge ${name}`,
      why: [all.length === 0 ? 'this host has none' : `there are ${all.map((row) => row.name).join(', ')}`],
    });
  }
  if (options.json === true) json(bridges);
  else if (bridges.length === 0) note('this host has no bridge');
  else
    out(
      table(
        ['BRIDGE', 'STATE', 'STP', 'VLANS', 'MTU', 'ADDRESSES', 'PORTS', 'MADE BY'],
        bridges.map(columns),
      ),
    );
  return EXIT.ok;
}

function columns({
  name,
  up,
  stp,
  delayS,
  vlanAware,
  mtu,
  addresses,
  ports,
  changes,
  ours,
}: BridgeRow): string[] {
  const global = addresses.filter((address) => !address.startsWith('fe80:'));
  const maker = changes.length > 0 ? `qlaunch bridge (${changes.join(', ')})` : ours ? 'qlaunch' : '-';
  const shown = ports.map(({ name: port, state }) => (state === 'forwarding' ? port : `${port} (${state})`));
  return [
    name,
    up ? 'up' : 'down',
    stp ? `on, ${delayS} s` : 'off',
    vlanAware ? 'aware' : '-',
    String(mtu),
    global.join(' ') || '-',
    shown.join(' ') || '-',
    maker,
  ];
}
