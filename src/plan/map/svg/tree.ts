/** Where each box stands: a column per level, the children of a box below each other, the box in their middle. */
import { type Box, COLUMN } from './box.ts';

export interface Placed {
  readonly box: Box;
  readonly x: number;
  readonly y: number;
  readonly height: number;
  /** SVG paths to its children. */
  readonly wires: readonly string[];
}

/** Between two boxes of a column. */
const GAP_PX = 14;

/** What the boxes need below each other, with all that hangs on them. */
export function heightOf(boxes: readonly Box[]): number {
  const sum = boxes.reduce((total, box) => total + spanOf(box), 0);
  return sum + Math.max(0, boxes.length - 1) * GAP_PX;
}

const spanOf = (box: Box): number => Math.max(box.height, heightOf(box.children));

/** 0: the box stands alone. */
export function lastColumn(box: Box): number {
  return box.children.length === 0 ? 0 : 1 + Math.max(...box.children.map(lastColumn));
}

export interface Room {
  readonly x: number;
  readonly y: number;
  /** At least heightOf(boxes). */
  readonly height: number;
}

export function place(boxes: readonly Box[], room: Room): readonly Placed[] {
  let top = room.y + (room.height - heightOf(boxes)) / 2;
  // The only one may have the whole room.
  const lone = boxes.length === 1 && boxes[0]?.stretch === true;
  return boxes.flatMap((box) => {
    const span = lone ? room.height : spanOf(box);
    const y = lone ? room.y : top;
    top += span + GAP_PX;
    return placeTree(box, { x: room.x, y, height: span });
  });
}

function placeTree(box: Box, room: Room): readonly Placed[] {
  const height = box.stretch ? room.height : box.height;
  const y = room.y + (room.height - height) / 2;
  const below = place(box.children, { ...room, x: room.x + COLUMN.pitch });
  const children = below.filter(({ x }) => x === room.x + COLUMN.pitch);
  const right = room.x + COLUMN.width;
  const wires = children.map((child) => {
    const to = child.y + child.height / 2;
    // A tall box is met straight; from a small one the wire turns half-way.
    const from = box.stretch ? to : y + height / 2;
    return `M${right} ${from}H${right + COLUMN.gap / 2}V${to}H${child.x}`;
  });
  return [{ box, x: room.x, y, height, wires }, ...below];
}
