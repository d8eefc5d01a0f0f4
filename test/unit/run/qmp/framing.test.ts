import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { QmpFramingError, qmpDecoder } from '../../../../src/run/qmp/framing.ts';
import { readMessage } from '../../../../src/run/qmp/message.ts';

/** Whole sessions with both QEMUs: a refused command, events before replies, unknown things, quit. */
const recordings = [
  { version: { major: 7, minor: 2, micro: 22 }, bytes: recording('qemu-7.2.txt') },
  { version: { major: 10, minor: 0, micro: 2 }, bytes: recording('qemu-10.txt') },
];

function recording(name: string): Buffer {
  return readFileSync(new URL(name, import.meta.url));
}

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : (ends[i - 1] ?? 0), end));
}

describe('framing', () => {
  test('chunks may end anywhere, also inside a character', () => {
    return fc.assert(
      fc.property(fc.array(fc.jsonValue(), { minLength: 1 }), fc.array(fc.nat()), (values, places) => {
        const text = values.map((value) => `${JSON.stringify({ value })}\r\n`).join('');
        const decoder = qmpDecoder();
        const got = cutAt(Buffer.from(text), places).flatMap((chunk) => decoder.push(chunk));
        expect(JSON.stringify(got)).toBe(JSON.stringify(values.map((value) => ({ value }))));
      }),
    );
  });

  test.each(recordings)(
    'a recorded session of $version.major gives the same however it is cut',
    ({ bytes }) => {
      const whole = qmpDecoder().push(bytes);
      expect(whole.length).toBe(17);
      return fc.assert(
        fc.property(fc.array(fc.nat()), (places) => {
          const decoder = qmpDecoder();
          expect(cutAt(bytes, places).flatMap((chunk) => decoder.push(chunk))).toEqual(whole);
        }),
      );
    },
  );

  test('the human monitor is recognised as not QMP', () => {
    const push = (): unknown => qmpDecoder().push(Buffer.from('QEMU 7.2.22 monitor - type help\r\n'));
    expect(push).toThrow(QmpFramingError);
    expect(push).toThrow('a line that is not JSON');
  });

  test('a line without an end is refused at the cap, not collected for ever', () => {
    const decoder = qmpDecoder(100);
    decoder.push(Buffer.alloc(60, 'x'));
    expect(() => decoder.push(Buffer.alloc(60, 'x'))).toThrow('more than 100 bytes without a line end');
  });
});

describe.each(recordings)('messages of a recorded session of $version.major', ({ version, bytes }) => {
  const messages = qmpDecoder().push(bytes).map(readMessage);

  test('the greeting tells the version', () => {
    expect(messages[0]).toMatchObject({
      kind: 'greeting',
      greeting: { version, package: expect.stringContaining('Debian'), capabilities: ['oob'] },
    });
  });

  test('events stand between commands and replies', () => {
    const told = messages.slice(1).map((message) => {
      if (message.kind === 'event') return message.event.name;
      if (message.kind === 'reply')
        return `${message.id}: ${message.result.ok ? 'ok' : message.result.error.class}`;
      return message.kind;
    });
    expect(told).toEqual([
      'q0: CommandNotFound',
      'q1: ok',
      'q2: ok',
      'q3: ok',
      'RESUME',
      'q4: ok',
      'STOP',
      'q5: ok',
      'q6: CommandNotFound',
      'q7: DeviceNotFound',
      'q8: ok',
      'POWERDOWN',
      'q9: ok',
      'q10: GenericError',
      'SHUTDOWN',
      'q11: ok',
    ]);
  });

  test('an event carries its data and its time', () => {
    const shutdown = messages.find(
      (message) => message.kind === 'event' && message.event.name === 'SHUTDOWN',
    );
    expect(shutdown).toMatchObject({
      event: { data: { guest: false, reason: 'host-qmp-quit' }, atMs: expect.any(Number) },
    });
  });
});

test('no JSON value makes readMessage throw', () => {
  return fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(['greeting', 'event', 'reply', 'unknown']).toContain(
        readMessage(JSON.parse(JSON.stringify(value))).kind,
      );
    }),
  );
});
