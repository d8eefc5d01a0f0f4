// needs: bridge, nft_inet, nft_nat, veth
/** What passes in each mode of a network: between guests, to the host, out, and in from outside. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { differences, snapshot } from '../../snapshot.ts';
import { world } from '../../tiers/cli.ts';
import { scratchDir } from '../../tiers/guest.ts';
import { internet, UPLINK } from '../../tiers/internet.ts';
import { type Station, station } from '../../tiers/station.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 90_000 });

/** A station with an address of its own, and a page. */
async function guest(name: string, address: string): Promise<Station> {
  const one = station(name, 'lab0');
  one.run('ip', 'address', 'add', `${address}/24`, 'dev', 'eth0');
  one.run('ip', 'route', 'add', 'default', 'via', '10.98.0.1');
  const pages = scratchDir();
  writeFileSync(join(pages, 'index.html'), `page of ${name}\n`);
  const server = spawn('ip', ['netns', 'exec', name, 'busybox', 'httpd', '-f', '-p', '80', '-h', pages]);
  await once(server, 'spawn');
  onTestFinished(async () => {
    server.kill();
    await once(server, 'exit');
  });
  await expect.poll(() => one.fetch('http://127.0.0.1/'), { timeout: 10_000 }).toBe(`page of ${name}\n`);
  return one;
}

const FETCH = `
  fetch(process.argv[1], { signal: AbortSignal.timeout(3000) })
    .then((answer) => answer.text()).then((text) => process.stdout.write(text), () => process.exit(1));
`;

/** Asked from the router behind the uplink. */
const fromOutside = (url: string): string =>
  spawnSync('ip', ['netns', 'exec', 'router', process.execPath, '-e', FETCH, url], { encoding: 'utf8' })
    .stdout;

const pingOf = (one: Station, address: string): boolean =>
  one.status('busybox', 'ping', '-c', '1', '-W', '2', address) === 0;

const MODES = [
  // mode, reaches out, under which address, is reached from outside, its rules reject
  ['nat', true, UPLINK, false],
  ['route', true, '10.98.0.10', true],
  ['open', true, '10.98.0.10', true],
  ['isolated', false, undefined, false],
] as const;

test.each(MODES)('%s: reaches out: %s as %s, is reached: %s', async (mode, out, as, reached) => {
  const { nonce, url, askedBy } = await internet();
  // Outside a way to the network is known; whether it is open is the network's to say.
  execFileSync('ip', ['-n', 'router', 'route', 'add', '10.98.0.0/24', 'via', UPLINK]);
  const before = snapshot();
  const w = world();
  onTestFinished(async () => void (await w.qlaunch('net', 'stop', 'lab', '--force')));
  const words = ['--subnet', '10.98.0.0/24', '--bridge', 'lab0', '--mode', mode];
  expect(await w.qlaunch('net', 'create', 'lab', ...words)).toMatchObject({ status: 0 });
  expect(await w.qlaunch('net', 'start', 'lab')).toMatchObject({ status: 0, stderr: '' });
  const [a, b] = [await guest('a', '10.98.0.10'), await guest('b', '10.98.0.11')];
  const server = createServer((_request, response) => response.end('page of the host')).listen(
    8080,
    '10.98.0.1',
  );
  onTestFinished(() => void server.close());
  await once(server, 'listening');

  expect({
    neighbour: a.fetch('http://10.98.0.11/'),
    back: b.fetch('http://10.98.0.10/'),
    gateway: pingOf(a, '10.98.0.1'),
    names: a.status('busybox', 'nc', '-w', '3', '10.98.0.1', '53'),
    out: a.fetch(url),
    ping: pingOf(a, '198.51.100.9'),
    in: fromOutside('http://10.98.0.10/'),
  }).toEqual({
    neighbour: 'page of b\n',
    back: 'page of a\n',
    gateway: true,
    names: 0,
    out: out ? `${nonce}\n` : undefined,
    ping: out,
    in: reached ? 'page of a\n' : '',
  });
  await expect
    .poll(() => askedBy.map((who) => who.split(':')[0]), { timeout: 10_000 })
    .toEqual(as === undefined ? [] : [as]);

  expect(await w.qlaunch('net', 'stop', 'lab', '--force')).toMatchObject({ status: 0 });
  for (const name of ['a0', 'b0']) execFileSync('ip', ['link', 'delete', 'dev', name]);
  expect(differences(before, snapshot())).toEqual([]);
});
