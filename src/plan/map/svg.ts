/** The map as a picture: uplinks left, the bridge beside them, its ports and their guests to the right. */
import type { Board, BoardVm, Bridge } from './board.ts';
import type { Device } from './device.ts';
import { type Box, type BoxKind, COLUMN, textBox } from './svg/box.ts';
import { escapeXml, renderBox, STYLE } from './svg/render.ts';
import { heightOf, lastColumn, place } from './svg/tree.ts';
import { bridgeFacts, deviceFacts, guestFacts, nicFacts, stackWords, tapFacts, vmFacts } from './words.ts';

const MARGIN = 24;
const HEADING = 34;
const BETWEEN = 30;

interface Section {
  readonly title?: string;
  readonly uplinks: readonly Box[];
  readonly trees: readonly Box[];
}

/** A whole document, with its style inside: light and dark after the viewer's wish. */
export function svgOf(board: Board): string {
  const sections = [
    ...board.bridges.map(bridgeSection),
    listSection(
      board.bridges.length === 0 ? 'No bridge on this host' : 'In no bridge',
      board.others.map((device) => deviceBox(device, false)),
    ),
    listSection('VMs without a port of this host', board.vms.flatMap(vmBoxes)),
  ].filter(({ trees }) => trees.length > 0);
  const columns = 1 + Math.max(1, ...sections.map(({ trees, uplinks }) => deepest(trees, uplinks)));
  const width = MARGIN * 2 + columns * COLUMN.pitch - COLUMN.gap;
  const drawn: string[] = [];
  let top = MARGIN;
  for (const section of sections) {
    if (section.title !== undefined) {
      drawn.push(`<text class="title" x="${MARGIN}" y="${top + 16}">${escapeXml(section.title)}</text>`);
      top += HEADING;
    }
    const height = Math.max(heightOf(section.trees), heightOf(section.uplinks));
    drawn.push(...drawSection(section, top, height));
    top += height + BETWEEN;
  }
  const height = top - BETWEEN + MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    '<title>Bridges, ports and VMs of this host</title>',
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${width}" height="${height}"/>`,
    ...drawn,
    '</svg>',
    '',
  ].join('\n');
}

const deepest = (trees: readonly Box[], uplinks: readonly Box[]): number =>
  Math.max(0, ...trees.map(lastColumn)) + (uplinks.length > 0 ? 1 : 0);

function drawSection({ uplinks, trees }: Section, top: number, height: number): readonly string[] {
  const column = uplinks.length > 0 ? 1 : 0;
  const left = MARGIN + column * COLUMN.pitch;
  const placed = place(trees, { x: left, y: top, height });
  const wires = place(uplinks, { x: MARGIN, y: top, height });
  const cords = wires.map(
    ({ x, y, height: tall }) =>
      `<path class="wire" d="M${x + COLUMN.width} ${y + tall / 2}H${x + COLUMN.pitch}"/>`,
  );
  return [...cords, ...wires.map(renderBox), ...placed.map(renderBox)];
}

function bridgeSection(bridge: Bridge): Section {
  const ports = bridge.ports.map((port) => deviceBox(port, true));
  const box = textBox('bridge', bridge.name, bridgeFacts(bridge), ports);
  const uplinks = bridge.uplinks.map((uplink) =>
    textBox('nic', stackWords(uplink, ' \u2192 '), deviceFacts(uplink, true), []),
  );
  // As tall as all that is plugged into it.
  return { uplinks, trees: [{ ...box, stretch: true }] };
}

const listSection = (title: string, trees: readonly Box[]): Section => ({ title, uplinks: [], trees });

function deviceBox(device: Device, isPort: boolean): Box {
  const on = device.on.map((child) => deviceBox(child, false));
  const { guest } = device;
  const kind: BoxKind = device.what === 'NIC' ? 'nic' : 'port';
  if (guest === undefined) return textBox(kind, device.name, deviceFacts(device, isPort), on);
  const end = textBox('vm', guest.vm, guestFacts(guest), []);
  return textBox('port', device.name, tapFacts(device), [end, ...on]);
}

function vmBoxes(vm: BoardVm): readonly Box[] {
  const loose = vm.nics.filter(({ device }) => device === undefined);
  if (loose.length === 0 && vm.nics.length > 0) return [];
  const nics = loose.map((nic) => textBox('port', nic.id, nicFacts(nic), []));
  const none = vm.nics.length === 0 ? [{ text: 'no network' }] : [];
  return [textBox('vm', vm.name, [...vmFacts(vm), ...none], nics)];
}
