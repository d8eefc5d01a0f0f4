/** The definitions of seeds 000-002: what they mean, what is filled in, and that defining them again changes nothing. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fillIn } from '../../../src/spec/nat/fill.ts';
import { readNetwork } from '../../../src/spec/nat/read.ts';

const here = new URL('definitions/', import.meta.url);
const FILLING = {
  uuid: '11111111-2222-3333-4444-555555555555',
  mac: '52:54:00:aa:bb:cc',
  bridge: 'qbr7',
};

test.each(['plain', 'default', 'br10'])('%s: define, dumpxml, define', async (name) => {
  const text = readFileSync(new URL(`${name}.xml`, here), 'utf8');
  const { network, warnings, document } = readNetwork(text, `${name}.xml`);
  expect(warnings).toEqual([]);
  const dump = fillIn(document, FILLING);
  await expect(dump).toMatchFileSnapshot(`definitions/${name}.defined.xml`);
  const again = readNetwork(dump, 'again');
  expect(fillIn(again.document, { uuid: 'x', mac: 'x', bridge: 'x' })).toBe(dump);
  expect(again.network).toMatchObject(network);
});
