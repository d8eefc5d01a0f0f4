// What a machine on a network does, in one process: it answers on ports, tries others' ports, asks for an address and for
// names. Orders come as lines of JSON { id, do, … } on stdin, results go as { id, result } to stdout.
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { promises as dns } from 'node:dns';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** A name server is asked something that it knows; whoever echoes is as good. */
const QUESTION = Buffer.from('0007010000010000000000000377777704746573740000010001', 'hex');

const listening = (server, how) =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    how(resolve);
  });

const askers = new Set();

/** Tells everybody who asks under which address and port he is seen. */
async function listen({ addresses, ports }) {
  for (const address of addresses)
    for (const port of ports) {
      const tcp = createServer((socket) => {
        socket.on('error', () => {});
        socket.end(JSON.stringify([socket.remoteAddress, socket.remotePort]));
      });
      await listening(tcp, (ready) => tcp.listen(port, address, ready));
      const udp = createSocket(address.includes(':') ? 'udp6' : 'udp4');
      udp.on('message', (_text, from) => {
        askers.add(from.address);
        udp.send(JSON.stringify([from.address, from.port]), from.port, from.address);
      });
      await listening(udp, (ready) => udp.bind(port, address, ready));
    }
}

/** An ICMP error counts as a refusal: somebody has said no. */
const meaning = ({ code }) =>
  ({ ECONNREFUSED: 'refused', EHOSTUNREACH: 'refused', ENETUNREACH: 'no way', EACCES: 'refused' })[code] ??
  code;

/** Counted, not timed: on a busy machine four seconds are no silence. */
async function answered(result, again) {
  for (let tries = 0; tries < 80; tries += 1) {
    if (result.is !== undefined) return result;
    // Once more every second: a kernel sends only so many ICMP errors at once.
    if (tries % 20 === 0) again?.();
    await sleep(50);
  }
  return { is: 'silence' };
}

const tcp = async ({ to, port, from, fromPort }) => {
  const result = {};
  let text = '';
  const socket = connect({ host: to, port, localAddress: from, localPort: fromPort });
  socket.on('error', (error) => (result.is ??= meaning(error)));
  socket.on('connect', () => socket.end(Buffer.concat([Buffer.from([0, QUESTION.length]), QUESTION])));
  socket.on('data', (chunk) => (text += chunk));
  socket.on('close', () => (result.is ??= text === '' ? 'closed' : 'yes'));
  const { is } = await answered(result);
  socket.destroy();
  return { is, ...seen(text) };
};

function seen(text) {
  try {
    const [as, port] = JSON.parse(text);
    return { as, port };
  } catch {
    return {};
  }
}

const udp = async ({ to, port, from, fromPort }) => {
  const socket = createSocket(to.includes(':') ? { type: 'udp6', ipv6Only: true } : 'udp4');
  const result = {};
  socket.on('error', (error) => (result.is ??= meaning(error)));
  socket.on('message', (text) => Object.assign(result, { is: 'yes', ...seen(`${text}`) }));
  if (from !== undefined || fromPort !== undefined) socket.bind(fromPort, from);
  socket.connect(port, to, (error) => {
    if (error !== undefined && error !== null) result.is ??= meaning(error);
  });
  const isConnected = () => {
    try {
      return socket.remoteAddress() !== undefined;
    } catch {
      return false;
    }
  };
  const found = await answered(result, () => isConnected() && socket.send(QUESTION, () => {}));
  socket.close();
  return found;
};

const icmp = ({ to, from }) =>
  new Promise((resolve) => {
    const source = from === undefined ? [] : ['-I', from];
    const ping = spawn('ping', ['-n', '-c4', '-i0.5', '-w3', ...source, to], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [ping.stdout, ping.stderr])
      stream.on('data', (chunk) => {
        text += chunk;
        if (/bytes from|[Uu]nreachable|prohibited|rohibit/.test(text)) ping.kill();
      });
    ping.on('close', () => {
      if (text.includes('bytes from')) return resolve({ is: 'yes' });
      if (text.includes('Network is unreachable')) return resolve({ is: 'no way' });
      resolve({ is: /unreachable|prohibited/i.test(text) ? 'refused' : 'silence' });
    });
  });

const KINDS = { tcp, udp, icmp };

/** Not all at once: this machine may have two cores. */
const AT_ONCE = 24;
let busy = 0;
const queue = [];

async function oneByOne(work) {
  if (busy >= AT_ONCE) await new Promise((resolve) => queue.push(resolve));
  busy += 1;
  try {
    return await work();
  } finally {
    busy -= 1;
    queue.shift()?.();
  }
}

const probe = ({ probes }) => Promise.all(probes.map((one) => oneByOne(() => KINDS[one.kind](one))));

const DISCOVER = 1;
const REQUEST = 3;
const octets = (text) => text.split('.').map(Number);
const option = (code, bytes) => [code, bytes.length, ...bytes];

/** RFC 2131, from an interface that has no address yet. */
function message(type, { mac, clientId, hostname }, more) {
  const head = Buffer.alloc(236);
  head.set([1, 1, 6, 0, 0x71, 0x61, 0x72, 0x69]);
  // The answer is to be a broadcast.
  head[10] = 0x80;
  const hardware = mac.split(':').map((byte) => Number.parseInt(byte, 16));
  head.set(hardware, 28);
  const options = [
    ...option(53, [type]),
    ...(clientId === undefined ? [] : option(61, [...Buffer.from(clientId, 'hex')])),
    ...(hostname === undefined ? [] : option(12, [...Buffer.from(hostname)])),
    // Whatever there is: all that clients are known to ask for.
    ...option(55, [1, 2, 3, 6, 12, 15, 26, 28, 31, 33, 42, 44, 51, 54, 58, 59, 66, 67, 119, 121, 252]),
    ...more,
    255,
  ];
  return Buffer.concat([head, Buffer.from([0x63, 0x82, 0x53, 0x63]), Buffer.from(options)]);
}

function parse(packet) {
  const options = {};
  for (let at = 240; at < packet.length && packet[at] !== 255; ) {
    if (packet[at] === 0) {
      at += 1;
      continue;
    }
    options[packet[at]] = packet.subarray(at + 2, at + 2 + packet[at + 1]).toString('hex');
    at += 2 + packet[at + 1];
  }
  return { type: Number.parseInt(options[53], 16), address: [...packet.subarray(16, 20)].join('.'), options };
}

/** `request`: an address that it says it has already. Gives the last answer; undefined: none. */
async function dhcp(client) {
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.bind(68, resolve));
  socket.setBroadcast(true);
  const answers = [];
  // Answers to neighbours are heard as well.
  const own = Buffer.from(client.mac.replaceAll(':', ''), 'hex');
  socket.on('message', (packet) => own.equals(packet.subarray(28, 34)) && answers.push(parse(packet)));
  const asked = async (packet, types) => {
    for (let tries = 0; tries < 200; tries += 1) {
      const found = answers.find(({ type }) => types.includes(type));
      if (found !== undefined) return found;
      if (tries % 20 === 0) socket.send(packet, 67, '255.255.255.255');
      await sleep(50);
    }
    return undefined;
  };
  try {
    if (client.request !== undefined)
      return await asked(message(REQUEST, client, option(50, octets(client.request))), [5, 6]);
    const offer = await asked(message(DISCOVER, client, []), [2]);
    if (offer === undefined) return undefined;
    const server = [...Buffer.from(offer.options[54], 'hex')];
    const wish = [...option(50, octets(offer.address)), ...option(54, server)];
    return await asked(message(REQUEST, client, wish), [5, 6]);
  } finally {
    socket.close();
  }
}

/** "192.0.2.1,192.0.2.2", or the error: ENOTFOUND, ENODATA, EREFUSED, ESERVFAIL, ETIMEOUT. */
async function ask({ server, questions }) {
  const resolver = new dns.Resolver({ timeout: 2000, tries: 3 });
  resolver.setServers([server]);
  const one = async ([kind, name]) => {
    try {
      const found = kind === 'PTR' ? await resolver.reverse(name) : await resolver.resolve(name, kind);
      return found.map((record) => (typeof record === 'string' ? record : JSON.stringify(record))).join(',');
    } catch (error) {
      return error.code;
    }
  };
  return Promise.all(questions.map(one));
}

/** Who has ever asked by UDP. */
const heard = async () => [...askers];

const ORDERS = { listen, probe, dhcp, ask, heard };

for await (const line of createInterface({ input: process.stdin })) {
  const { id, do: name, ...order } = JSON.parse(line);
  ORDERS[name](order).then(
    (result) => console.log(JSON.stringify({ id, result })),
    (error) => console.log(JSON.stringify({ id, error: `${error.stack}` })),
  );
}
process.exit(0);
