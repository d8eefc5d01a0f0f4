/** The map for a terminal: uplinks come into a bridge's box from above, its ports hang below. */
import type { Board, BoardNic, BoardVm, Bridge } from './board.ts';
import type { Device } from './device.ts';
import { cutTo, drawable, type Glyphs, widthOf } from './glyphs.ts';
import { type Line, layOut, type Piece, type Row } from './row.ts';
import { bridgeFacts, deviceFacts, levelsBelow, nicFacts, stackWords, vmFacts } from './words.ts';

export interface Paper {
  readonly columns: number;
  readonly glyphs: Glyphs;
}

/** Below this the guides alone would fill the line. */
const MIN_COLUMNS = 40;
/** A box wider than this has its right edge too far from what it says. */
const MAX_BOX = 100;

export function drawBoard(board: Board, paper: Paper): readonly Line[] {
  const columns = Math.max(paper.columns, MIN_COLUMNS);
  const { glyphs } = paper;
  const groups = [
    ...board.bridges.map((bridge) => drawBridge(bridge, { columns, glyphs })),
    group(board.bridges.length === 0 ? 'No bridge on this host' : 'In no bridge', others(board), {
      columns,
      glyphs,
    }),
    group('VMs without a port of this host', vms(board, glyphs), { columns, glyphs }),
  ].filter((lines) => lines.length > 0);
  if (groups.length === 0) return [[{ text: 'No bridge and no NIC on this host' }]];
  return groups.flatMap((lines, index) => (index === 0 ? lines : [[], ...lines]));
}

function group(
  title: string,
  draw: readonly ((paper: Paper) => readonly Line[])[],
  paper: Paper,
): readonly Line[] {
  return draw.length === 0 ? [] : [[{ text: title, tone: 'name' }], ...draw.flatMap((rows) => rows(paper))];
}

function drawBridge(bridge: Bridge, { columns, glyphs }: Paper): readonly Line[] {
  const lines: Line[] = [];
  const bars = bridge.uplinks.map(() => `${glyphs.bar} `);
  for (const [index, uplink] of bridge.uplinks.entries()) {
    const rest = `  ${bars.slice(0, index + 1).join('')}`;
    const row = { first: rest.slice(0, -2), rest, ...uplinkWords(uplink, columns - widthOf(rest), glyphs) };
    lines.push(...layOut(row, columns, glyphs));
  }
  if (bars.length > 0) lines.push([{ text: `  ${bars.join('')}` }]);
  return [
    ...lines,
    ...box(bridge, { columns: Math.min(columns, MAX_BOX), glyphs }),
    ...ports(bridge, { columns, glyphs }),
  ];
}

/** What it is stacked on stands in front of it; where that is too long, behind it. */
function uplinkWords(uplink: Device, columns: number, glyphs: Glyphs): Pick<Row, 'head' | 'facts'> {
  const facts = deviceFacts(uplink, true);
  const name = stackWords(uplink, ` ${glyphs.line} `);
  if (widthOf(drawable(name, glyphs)) <= columns) return { head: [named(name)], facts };
  const below = levelsBelow(uplink).map((level): Piece => ({ text: `on ${level}` }));
  return { head: [named(uplink.name)], facts: [...below.reverse(), ...facts] };
}

function box(bridge: Bridge, { columns, glyphs }: Paper): readonly Line[] {
  const { line, bar, topLeft, topRight, bottomLeft, bottomRight, enter, leave } = glyphs;
  const taps = bridge.uplinks.map(() => `${enter}${line}`).join('');
  const start = `${topLeft}${line}${taps} `;
  const name = cutTo(drawable(bridge.name, glyphs), columns - widthOf(start) - 3, glyphs);
  const rule = line.repeat(Math.max(0, columns - widthOf(start) - widthOf(name) - 2));
  const inner = layOut({ first: '', rest: '', head: [], facts: bridgeFacts(bridge) }, columns - 4, glyphs);
  const out = bridge.ports.length > 0 ? leave : line;
  return [
    [{ text: start }, { text: name, tone: 'name' }, { text: ` ${rule}${topRight}` }],
    ...inner.map((pieces) => {
      const wide = pieces.reduce((sum, { text }) => sum + widthOf(text), 0);
      return [
        { text: `${bar} ` },
        ...pieces,
        { text: `${' '.repeat(Math.max(0, columns - 4 - wide))} ${bar}` },
      ];
    }),
    [{ text: `${bottomLeft}${line}${out}${line.repeat(columns - 4)}${bottomRight}` }],
  ];
}

function ports({ ports: all }: Bridge, paper: Paper): readonly Line[] {
  const wide = Math.max(0, ...all.map(({ name }) => widthOf(drawable(name, paper.glyphs))));
  return all.flatMap((port, index) =>
    layOut(
      branch(port, { indent: '  ', last: index === all.length - 1, wide, isPort: true }, paper.glyphs),
      paper.columns,
      paper.glyphs,
    ),
  );
}

interface Twig {
  readonly indent: string;
  readonly last: boolean;
  /** Of the longest name beside it: the guests stand below each other. */
  readonly wide: number;
  readonly isPort: boolean;
}

function branch(device: Device, twig: Twig, glyphs: Glyphs): Row {
  const { line, tee, last, bar } = glyphs;
  const pad = Math.max(0, twig.wide - widthOf(drawable(device.name, glyphs)));
  const { guest } = device;
  const head: readonly Piece[] =
    guest === undefined
      ? [named(device.name), { text: ' '.repeat(pad) }]
      : [named(device.name), { text: ` ${line.repeat(pad + 3)} ` }, named(guest.vm)];
  return {
    first: `${twig.indent}${twig.last ? last : tee}${line} `,
    rest: `${twig.indent}${twig.last ? ' ' : bar}  `,
    head,
    facts: deviceFacts(device, twig.isPort),
  };
}

function others({ others: devices }: Board): readonly ((paper: Paper) => readonly Line[])[] {
  return devices.map((device) => (paper) => {
    const head = branch(device, { indent: '', last: true, wide: 0, isPort: false }, paper.glyphs);
    const hang = device.on.length > 0 ? `  ${paper.glyphs.bar}` : '  ';
    return [
      ...layOut({ ...head, first: '  ', rest: hang }, paper.columns, paper.glyphs),
      ...children(device, '  ', paper),
    ];
  });
}

function children(device: Device, indent: string, paper: Paper): readonly Line[] {
  const wide = Math.max(0, ...device.on.map(({ name }) => widthOf(drawable(name, paper.glyphs))));
  return device.on.flatMap((child, index) => {
    const last = index === device.on.length - 1;
    const row = branch(child, { indent, last, wide, isPort: false }, paper.glyphs);
    return [
      ...layOut(row, paper.columns, paper.glyphs),
      ...children(child, `${indent}${last ? ' ' : paper.glyphs.bar}  `, paper),
    ];
  });
}

/** A VM is named here when a NIC of its is not in the picture above, or it has none. */
function vms(board: Board, glyphs: Glyphs): readonly ((paper: Paper) => readonly Line[])[] {
  return board.vms.flatMap((vm) => {
    const loose = vm.nics.filter(({ device }) => device === undefined);
    if (loose.length === 0 && vm.nics.length > 0) return [];
    const { line, tee, last, bar } = glyphs;
    const rows = loose.map((nic: BoardNic, index): Row => {
      const end = index === loose.length - 1;
      return {
        first: `  ${end ? last : tee}${line} `,
        rest: `  ${end ? ' ' : bar}  `,
        head: [named(nic.id)],
        facts: nicFacts(nic),
      };
    });
    return [
      (paper: Paper) => [
        ...layOut(vmRow(vm), paper.columns, paper.glyphs),
        ...rows.flatMap((row) => layOut(row, paper.columns, paper.glyphs)),
      ],
    ];
  });
}

const vmRow = (vm: BoardVm): Row => ({
  first: '  ',
  rest: '  ',
  head: [named(vm.name)],
  facts: [...vmFacts(vm), ...(vm.nics.length === 0 ? [{ text: 'no network' }] : [])],
});

const named = (text: string): Piece => ({ text, tone: 'name' });
