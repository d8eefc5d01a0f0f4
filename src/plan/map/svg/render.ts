/** Boxes as SVG. */
import type { Piece } from '../row.ts';
import { COLUMN, LINE_PX, PADDING_PX } from './box.ts';
import type { Placed } from './tree.ts';

/** The first colours are for viewers that know no media queries: dark text on the picture's own light paper. */
export const STYLE: string = `
text{font:12px ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;fill:#1f2328;white-space:pre}
.title{font-weight:bold;font-size:14px}
.name{font-weight:bold}.good{fill:#116329}.bad{fill:#a40e26}.waiting{fill:#7d4e00}.faint{fill:#57606a}
.paper{fill:#ffffff}.wire{fill:none;stroke:#57606a;stroke-width:2}
.box{stroke-width:1.5}.nic{fill:#ddf4ff;stroke:#0969da}.bridge{fill:#dafbe1;stroke:#1a7f37}
.port{fill:#f6f8fa;stroke:#57606a}.vm{fill:#fff1e5;stroke:#bc4c00}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}
.good{fill:#56d364}.bad{fill:#ff7b72}.waiting{fill:#e3b341}.faint{fill:#9da7b1}
.paper{fill:#0d1117}.wire{stroke:#9da7b1}.nic{fill:#0c2d4d;stroke:#58a6ff}.bridge{fill:#0f2d17;stroke:#3fb950}
.port{fill:#161b22;stroke:#8b949e}.vm{fill:#3d1f08;stroke:#f0883e}}
`;

/** Text and attribute values; U+FFFE and U+FFFF are no characters of XML 1.0 (production 2). */
export function escapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': 'amp',
    '<': 'lt',
    '>': 'gt',
    '"': 'quot',
    "'": '#39',
  };
  return text
    .replace(/[\uFFFE\uFFFF]/g, '\uFFFD')
    .replace(/[&<>"']/g, (character) => `&${entities[character]};`);
}

export function renderBox({ box, x, y, height, wires }: Placed): string {
  const middle = y + (height - box.height) / 2 + PADDING_PX;
  const lines = box.lines.map((pieces, index) => {
    const base = middle + index * LINE_PX + 12;
    return `<text x="${x + PADDING_PX}" y="${base}">${pieces.map(span).join('')}</text>`;
  });
  return [
    ...wires.map((path) => `<path class="wire" d="${path}"/>`),
    '<g>',
    `<title>${escapeXml(box.title)}</title>`,
    `<rect class="box ${box.kind}" x="${x}" y="${y}" width="${COLUMN.width}" height="${height}" rx="6"/>`,
    ...lines,
    '</g>',
  ].join('\n');
}

const span = ({ text, tone }: Piece): string =>
  tone === undefined ? escapeXml(text) : `<tspan class="${tone}">${escapeXml(text)}</tspan>`;
