import { describe, expect, test } from 'vitest';
import { openQmp, type QmpClient, type QmpOptions } from '../../../../src/run/qmp/client.ts';
import type { QmpEvent } from '../../../../src/run/qmp/message.ts';
import { type FakeQemu, fakeQemu } from './fake-qemu.ts';

async function opened(options?: QmpOptions): Promise<{ fake: FakeQemu; client: QmpClient }> {
  const fake = fakeQemu();
  const [client] = await Promise.all([openQmp(fake.stream, options), fake.negotiate()]);
  return { fake, client };
}

describe('opening', () => {
  test('nothing is sent before the greeting, and capabilities come first', async () => {
    const fake = fakeQemu();
    const client = openQmp(fake.stream);
    fake.greet();
    const first = await fake.next();
    expect(first.execute).toBe('qmp_capabilities');
    fake.say({ return: {}, id: first.id });
    expect((await client).greeting.version.major).toBe(10);
  });

  test('no greeting: another client holds the monitor', async () => {
    const fake = fakeQemu();
    await expect(openQmp(fake.stream, { greetingMs: 20, where: '/run/vm/qmp' })).rejects.toMatchObject({
      code: 'QL_QMP_BUSY',
      message: 'QEMU does not answer on /run/vm/qmp',
      todo: [expect.stringMatching(/^fuser -v \/run\/vm\/qmp /)],
    });
    expect(fake.stream.destroyed).toBe(true);
  });

  test('no greeting from a QEMU that is just starting is not called busy', async () => {
    const opening = openQmp(fakeQemu().stream, { greetingMs: 20, noGreeting: 'starting' });
    await expect(opening).rejects.toMatchObject({ code: 'QL_QMP_SILENT' });
  });

  test('something that does not speak QMP is named', async () => {
    const fake = fakeQemu();
    const opening = openQmp(fake.stream, { where: '/tmp/x' });
    fake.qemu.write('(qemu) hello\r\n');
    await expect(opening).rejects.toMatchObject({
      code: 'QL_QMP_PROTOCOL',
      message: '/tmp/x does not speak QMP',
      why: ['a line that is not JSON: "(qemu) hello"'],
    });
  });

  test('the signal ends it with its reason', async () => {
    const stop = new AbortController();
    const opening = openQmp(fakeQemu().stream, { signal: stop.signal });
    stop.abort(new Error('QEMU has exited'));
    await expect(opening).rejects.toThrow('QEMU has exited');
  });

  test('a stream that ends before the greeting', async () => {
    const fake = fakeQemu();
    const opening = openQmp(fake.stream);
    fake.qemu.end();
    await expect(opening).rejects.toMatchObject({ code: 'QL_QMP_CLOSED' });
  });
});

describe('commands', () => {
  test('replies are matched by id, not by order', async () => {
    const { fake, client } = await opened();
    const names = client.execute('query-name');
    const status = client.execute('query-status');
    const first = await fake.next();
    const second = await fake.next();
    fake.say({ return: { status: 'running' }, id: second.id });
    fake.say({ return: { name: 'vm1' }, id: first.id });
    expect(await names).toEqual({ name: 'vm1' });
    expect(await status).toEqual({ status: 'running' });
  });

  test('a refusal is a value, and an error where asked for', async () => {
    const { fake, client } = await opened();
    const error = { class: 'DeviceNotFound', desc: "Device 'zz' not found" };
    const tried = client.tryExecute('netdev_del', { id: 'zz' });
    const command = await fake.next();
    expect(command.arguments).toEqual({ id: 'zz' });
    fake.say({ id: command.id, error });
    expect(await tried).toEqual({ ok: false, error });
    const executed = client.execute('netdev_del', { id: 'zz' });
    fake.say({ id: (await fake.next()).id, error });
    await expect(executed).rejects.toMatchObject({
      code: 'QL_QMP_REFUSED',
      message: 'QEMU refused netdev_del',
      why: ["DeviceNotFound: Device 'zz' not found"],
    });
  });

  test('a late reply is dropped and the next command still gets its own', async () => {
    const { fake, client } = await opened();
    const slow = client.execute('query-block', undefined, { deadlineMs: 20 });
    const slowId = (await fake.next()).id;
    await expect(slow).rejects.toMatchObject({ code: 'QL_QMP_TIMEOUT' });
    const name = client.execute('query-name');
    fake.say({ return: ['late'], id: slowId });
    fake.say({ return: { name: 'a' }, id: (await fake.next()).id });
    expect(await name).toEqual({ name: 'a' });
  });

  test('a signal ends one command and leaves the others', async () => {
    const { fake, client } = await opened();
    const stop = new AbortController();
    const ended = client.execute('query-block', undefined, { signal: stop.signal });
    const other = client.execute('query-name');
    stop.abort(new Error('not needed any more'));
    await expect(ended).rejects.toThrow('not needed any more');
    await fake.next();
    fake.say({ return: {}, id: (await fake.next()).id });
    expect(await other).toEqual({});
  });

  test('everything pending is rejected when QEMU goes, but quit has then succeeded', async () => {
    const { fake, client } = await opened();
    const name = client.execute('query-name');
    const quit = client.execute('quit');
    await fake.next();
    await fake.next();
    fake.qemu.end();
    await expect(name).rejects.toMatchObject({
      code: 'QL_QMP_CLOSED',
      message: 'QEMU closed its monitor before it answered query-name',
    });
    expect(await quit).toEqual({});
    await client.closed;
    await expect(client.execute('query-name')).rejects.toMatchObject({ code: 'QL_QMP_CLOSED' });
  });

  test('garbage in the middle ends the session, and does not pass for a successful quit', async () => {
    const { fake, client } = await opened();
    const quit = client.execute('quit');
    await fake.next();
    fake.qemu.write('output of a script\n');
    await expect(quit).rejects.toMatchObject({ code: 'QL_QMP_PROTOCOL' });
    await client.closed;
  });
});

describe('events', () => {
  const event = (name: string): object => ({
    timestamp: { seconds: 5, microseconds: 6000 },
    event: name,
    data: {},
  });

  test('an event between command and reply reaches the listener and leaves the reply alone', async () => {
    const seen: string[] = [];
    const { fake, client } = await opened({ onEvent: ({ name }) => seen.push(name) });
    const down = client.execute('system_powerdown');
    const { id } = await fake.next();
    fake.say(event('POWERDOWN'));
    fake.say({ return: {}, id });
    expect(await down).toEqual({});
    expect(seen).toEqual(['POWERDOWN']);
  });

  test('an event that rides with the reply to qmp_capabilities is not lost', async () => {
    const seen: QmpEvent[] = [];
    const fake = fakeQemu();
    const opening = openQmp(fake.stream, { onEvent: (e) => seen.push(e) });
    fake.greet();
    const { id } = await fake.next();
    fake.qemu.write(`${JSON.stringify({ return: {}, id })}\r\n${JSON.stringify(event('STOP'))}\r\n`);
    await opening;
    expect(seen).toEqual([{ name: 'STOP', data: {}, atMs: 5006 }]);
  });

  test('the iterator keeps what comes while its body runs, and ends with the monitor', async () => {
    const { fake, client } = await opened();
    const events = client.events();
    for (const name of ['STOP', 'RESUME', 'SHUTDOWN']) fake.say(event(name));
    const seen: string[] = [];
    for await (const { name } of events) {
      seen.push(name);
      if (name === 'RESUME') fake.qemu.end();
    }
    expect(seen).toEqual(['STOP', 'RESUME', 'SHUTDOWN']);
  });

  test('the iterator ends with its signal, and a removed listener hears nothing', async () => {
    const { fake, client } = await opened();
    const stop = new AbortController();
    const seen: string[] = [];
    const remove = client.onEvent(({ name }) => seen.push(name));
    const loop = (async () => {
      for await (const _ of client.events(stop.signal)) stop.abort();
    })();
    fake.say(event('STOP'));
    await loop;
    remove();
    const asked = client.execute('query-name');
    fake.say(event('RESUME'));
    fake.say({ return: {}, id: (await fake.next()).id });
    await asked;
    expect(seen).toEqual(['STOP']);
  });
});
