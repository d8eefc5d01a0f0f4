import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boardOf } from '../../../../src/plan/map/board.ts';
import type { BoardLink } from '../../../../src/plan/map/facts.ts';
import { svgOf } from '../../../../src/plan/map/svg.ts';
import { EMPTY, SERVER } from '../../../golden/map/hosts.ts';

interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function boxes(svg: string): readonly Rect[] {
  const rect = /<rect class="box \w+" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/g;
  return [...svg.matchAll(rect)].map(([, ...numbers]) => {
    const [x = 0, y = 0, width = 0, height = 0] = numbers.map(Number);
    return { x, y, width, height };
  });
}

const overlap = (a: Rect, b: Rect): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** Links that hang on each other in any way. */
const links = fc.array(
  fc.record({
    kind: fc.constantFrom(undefined, 'bridge', 'tun', 'vlan', 'bond', 'veth'),
    master: fc.option(fc.nat(11), { nil: undefined }),
    lower: fc.option(fc.nat(11), { nil: undefined }),
    addresses: fc.array(fc.constant({ cidr: '2001:db8::1/64', linkLocal: false }), { maxLength: 4 }),
  }),
  { maxLength: 12 },
);

test('whatever hangs on whatever: the boxes lie inside the picture and not on each other', () => {
  fc.assert(
    fc.property(links, (chosen) => {
      const [model] = SERVER.links;
      const all = chosen.map(({ kind, master, lower, addresses }, index) => ({
        ...{ ...model, ifindex: index + 1, name: `if${index}`, ethernet: true, addresses },
        ...(kind === undefined ? {} : { kind }),
        ...(master === undefined || master === index ? {} : { master: `if${master}` }),
        ...(lower === undefined || lower === index ? {} : { lower: `if${lower}` }),
      })) as BoardLink[];
      const svg = svgOf(boardOf({ ...EMPTY, links: all }));
      const [, width, height] = (/width="(\d+(?:\.\d+)?)" height="(\d+(?:\.\d+)?)"/.exec(svg) ?? []).map(
        Number,
      );
      const drawn = boxes(svg);
      for (const [index, box] of drawn.entries()) {
        expect(box.x + box.width).toBeLessThanOrEqual(width ?? 0);
        expect(box.y + box.height).toBeLessThanOrEqual(height ?? 0);
        for (const other of drawn.slice(index + 1)) expect(overlap(box, other)).toBe(false);
      }
    }),
  );
});

test('a host without anything has a picture too', () => {
  expect(svgOf(boardOf(EMPTY))).toMatch(
    /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="\d+" height="\d+"/,
  );
});

test('no text is wider than its box, and no name is markup', () => {
  const nasty = { ...SERVER, vms: SERVER.vms.map((vm) => ({ ...vm, name: `<a&"'${'x'.repeat(80)}` })) };
  const svg = svgOf(boardOf(nasty));
  for (const [, text = ''] of svg.matchAll(/<text x=[^>]*>(.*)<\/text>/g)) {
    const shown = text.replaceAll(/<[^>]+>/g, '').replaceAll(/&[^;]+;/g, '&');
    expect(shown.length).toBeLessThanOrEqual(42);
  }
  expect(svg).not.toMatch(/<a/);
});
