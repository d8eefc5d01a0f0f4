/** qlaunch map: one look, or one after the other. */
import { EXIT } from '../../errors.ts';
import { linuxMachine } from '../../host/linux.ts';
import { writePicture } from '../../host/map/picture-file.ts';
import { identity } from '../../host/vm/user.ts';
import { type Board, boardOf } from '../../plan/map/board.ts';
import type { BoardFacts } from '../../plan/map/facts.ts';
import { svgOf } from '../../plan/map/svg.ts';
import { drawBoard, type Paper } from '../../plan/map/text.ts';
import { lookAtBoard } from '../../run/map/look.ts';
import { json, out } from '../terminal.ts';
import { paint, paper } from './paper.ts';
import { listenForStop, openScreen } from './screen.ts';

export interface MapOptions {
  readonly json?: boolean;
  /** Seconds between two looks; true: one. */
  readonly watch?: number | true;
  readonly svg?: string;
}

export async function showMap(options: MapOptions): Promise<number> {
  const machine = linuxMachine();
  const look = (): Promise<BoardFacts> => lookAtBoard(machine, identity(process.env), process.env);
  if (options.watch !== undefined)
    return watch(look, (options.watch === true ? 1 : options.watch) * 1000, options);
  show(boardOf(await look()), options);
  return EXIT.ok;
}

function show(board: Board, options: MapOptions): void {
  if (options.svg === '-') out(svgOf(board).trimEnd());
  else if (options.svg !== undefined) writePicture(options.svg, svgOf(board));
  if (options.json === true) json(board);
  else if (options.svg === undefined) out(drawing(board));
}

const drawing = (board: Board, on: Paper = paper()): string => drawBoard(board, on).map(paint).join('\n');

/** A line that fills the terminal leaves the cursor on its last character, and erasing the rest would take that. */
const inside = ({ columns, glyphs }: Paper): Paper => ({ columns: columns - 1, glyphs });

/** On a terminal in one place; elsewhere picture after picture, and JSON one object per line. */
async function watch(look: () => Promise<BoardFacts>, everyMs: number, options: MapOptions): Promise<number> {
  const onScreen = process.stdout.isTTY && options.json !== true && options.svg === undefined;
  const screen = onScreen ? openScreen() : undefined;
  const stop = listenForStop();
  let before: BoardFacts | undefined;
  try {
    while (stop.status() === undefined) {
      const facts = await look();
      const board = boardOf(facts, before);
      if (screen !== undefined) screen.draw(drawing(board, inside(paper())));
      else if (options.json === true && options.svg === undefined) out(JSON.stringify(board));
      else show(board, options);
      before = facts;
      await stop.orAfter(everyMs);
    }
    return stop.status() ?? EXIT.ok;
  } finally {
    screen?.close();
    stop.forget();
  }
}
