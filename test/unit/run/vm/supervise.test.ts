import { expect, test } from 'vitest';
import { stopRequests } from '../../../../src/run/vm/supervise.ts';

test('a request that came before anybody waited is not lost, and counts once', async () => {
  const stops = stopRequests();
  const { signal } = new AbortController();
  stops.request();
  expect(await stops.next(signal)).toBe('next');
  const second = stops.next(signal);
  expect(await Promise.race([second, Promise.resolve('waits')])).toBe('waits');
  stops.request();
  expect(await second).toBe('next');
});

test('a wait that was given up takes no request', async () => {
  const stops = stopRequests();
  const given = new AbortController();
  const first = stops.next(given.signal);
  given.abort();
  stops.request();
  expect(await Promise.race([first, Promise.resolve('waits')])).toBe('waits');
  expect(await stops.next(new AbortController().signal)).toBe('next');
});
