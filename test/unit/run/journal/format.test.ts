import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JournalFile } from '../../../../src/run/journal/entry.ts';
import { parseJournal } from '../../../../src/run/journal/format.ts';
import { renderJournal } from '../../../../src/run/journal/render.ts';
import { seal } from '../../../../src/run/journal/seal.ts';

const PROCESS = { pid: 7, start: 9, bootId: 'boot', pidns: 'pid:[1]' };
const FILE: JournalFile = {
  head: {
    v: 2,
    tool: 'qlaunch 0.1.0',
    id: 'abc123',
    title: 'test',
    place: 'volatile',
    bootId: 'boot',
    netns: 'net:[1]',
    lifetime: { vm: 'web' },
    actor: PROCESS,
    holder: null,
    complete: true,
    sinceMs: 1,
  },
  entries: [
    {
      n: 1,
      title: 'make br0',
      undo: { run: ['/sbin/ip', 'link', 'delete', 'dev', 'br0'], gone: ['Cannot find device'] },
      byHand: '/sbin/ip link delete dev br0',
      owns: { link: 'br0', alias: 'qlaunch:vm/web:1' },
      deadlineMs: 10,
      state: 'done',
    },
    {
      n: 2,
      title: 'route',
      undo: { write: '/proc/sys/net/ipv4/ip_forward', value: '0', expect: '1' },
      byHand: 'printf %s 0 > /proc/sys/net/ipv4/ip_forward',
      deadlineMs: 10,
      state: 'intent',
    },
  ],
};
const TEXT = renderJournal(FILE);
const fixture = (name: string): string => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');

test('what is written is read', () => {
  expect(parseJournal(TEXT, 'abc123')).toEqual({ kind: 'journal', file: FILE });
});

describe('damage', () => {
  test('every flipped bit is seen', () => {
    const bytes = Buffer.from(TEXT);
    for (let at = 0; at < bytes.length * 8; at += 1) {
      const bent = Buffer.from(bytes);
      bent.writeUInt8(bent.readUInt8(at >> 3) ^ (1 << (at & 7)), at >> 3);
      expect([at, parseJournal(bent.toString('utf8'), 'abc123').kind]).toEqual([at, 'damaged']);
    }
  });

  test('every cut is seen', () => {
    for (let length = 0; length < TEXT.length; length += 1) {
      expect([length, parseJournal(TEXT.slice(0, length), 'abc123').kind]).toEqual([length, 'damaged']);
    }
  });

  test('lines that are missing, doubled or swapped are seen', () => {
    const lines = TEXT.trimEnd().split('\n');
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...lines), { maxLength: 6 }), (some) => {
        fc.pre(some.join('\n') !== lines.join('\n'));
        expect(parseJournal(`${some.join('\n')}\n`, 'abc123').kind).toBe('damaged');
      }),
    );
  });

  test('the lines that are whole can still be printed, newest first', () => {
    const lines = TEXT.split('\n');
    const bent = [lines[0], `${lines[1]?.slice(0, -5)}XXXX}`, ...lines.slice(2)].join('\n');
    expect(parseJournal(bent, 'abc123')).toMatchObject({
      kind: 'damaged',
      why: '1 of 4 lines are damaged',
      byHand: ['printf %s 0 > /proc/sys/net/ipv4/ip_forward'],
    });
  });

  test('a journal under the name of another one is not believed', () => {
    expect(parseJournal(TEXT, 'other')).toMatchObject({ kind: 'unknown', why: 'it calls itself "abc123"' });
  });
});

describe('formats', () => {
  test('one of format 1 is read as what it means today', () => {
    const parsed = parseJournal(fixture('v1.journal'), 'f00d01');
    expect(parsed).toMatchObject({
      kind: 'journal',
      file: {
        head: { v: 2, actor: { pid: 41, pidns: 'pid:[4026531836]' }, holder: 'until-undone' },
        entries: [
          { undo: { run: ['/usr/sbin/ip', 'link', 'delete', 'dev', 'br9'], gone: ['Cannot find device'] } },
          { undo: { write: '/proc/sys/net/ipv4/conf/lo/rp_filter', value: '0', expect: '2' } },
        ],
      },
    });
  });

  const [first, ...rest] = FILE.entries;
  test.each([
    ['a later version', { ...FILE.head, v: 3 }, FILE.entries, 'its format is 3'],
    ['no version', { ...FILE.head, v: 'x' }, FILE.entries, 'its format is x'],
    ['a field more in the head', { ...FILE.head, until: 5 }, FILE.entries, 'its head says "until"'],
    [
      'an undo of an unknown kind',
      FILE.head,
      [{ ...first, undo: { unload: 'x' } }, ...rest],
      'step 1 has a "undo"',
    ],
    [
      'a condition that we would not honour',
      FILE.head,
      [{ ...first, undo: { ...first?.undo, unless: 'x' } }, ...rest],
      'step 1 has a "undo"',
    ],
    [
      'an owner of an unknown kind',
      FILE.head,
      [{ ...first, owns: { cgroup: 'x' } }, ...rest],
      'step 1 has a "owns"',
    ],
    [
      'an attribute outside of the trees',
      FILE.head,
      [{ ...first, undo: { write: '/etc/passwd', value: '', expect: '' } }],
      'step 1 has a "undo"',
    ],
    [
      'a way out of the trees',
      FILE.head,
      [{ ...first, undo: { write: '/proc/sys/net/../../../etc/passwd', value: '', expect: '' } }],
      'step 1 has a "undo"',
    ],
    [
      'a program without a path',
      FILE.head,
      [{ ...first, undo: { run: ['ip'], gone: [] } }],
      'step 1 has a "undo"',
    ],
  ])(
    '%s: touch nothing, print the undo lines',
    (_what: string, head: object, entries: readonly object[], why: string) => {
      const parsed = parseJournal(seal([head, ...entries]), 'abc123');
      expect(parsed.kind).toBe('unknown');
      expect(parsed).toMatchObject({ why: expect.stringContaining(why) as string });
      expect(parsed).toHaveProperty('byHand', expect.arrayContaining(['/sbin/ip link delete dev br0']));
    },
  );
});
