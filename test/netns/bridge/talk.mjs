// echo PORT: answers TCP and UDP on all addresses. talk PORT ADDRESS…: speaks to each without a pause, until its stdin
// ends; then prints what was lost and the longest silence, one object per stream.
import { createSocket } from 'node:dgram';
import { createConnection, createServer } from 'node:net';

const [role, port, ...addresses] = process.argv.slice(2);
const EVERY_MS = 10;

if (role === 'echo') {
  createServer((socket) =>
    socket
      .setNoDelay(true)
      .on('error', () => undefined)
      .pipe(socket),
  ).listen({ port: Number(port), host: '::' }, () => console.log('ready'));
  const udp = createSocket('udp6');
  udp.on('message', (text, from) => udp.send(text, from.port, from.address));
  udp.bind(Number(port), '::');
} else {
  const streams = addresses.flatMap((address) => [tcp(address), udp(address)]);
  await Promise.all(streams.map((stream) => stream.first));
  console.log('ready');
  process.stdin.resume().on('end', () => {
    // What was sent last is still under way.
    setTimeout(() => {
      console.log(JSON.stringify(streams.map((stream) => stream.result())));
      process.exit(0);
    }, 300);
  });
}

/** `send(n)` every 10 ms; `got()` when something came back. */
function meter(kind, address, send) {
  const { promise: first, resolve } = Promise.withResolvers?.() ?? later();
  const meter = { sent: 0, got: 0, maxGapMs: 0, lastMs: 0, ended: false, first };
  meter.heard = () => {
    const now = performance.now();
    if (meter.got === 0) resolve();
    else meter.maxGapMs = Math.max(meter.maxGapMs, now - meter.lastMs);
    meter.lastMs = now;
    meter.got += 1;
  };
  meter.result = () => ({
    kind,
    address,
    sent: meter.sent,
    lost: meter.sent - meter.got,
    maxGapMs: Math.round(Math.max(meter.maxGapMs, performance.now() - meter.lastMs - 300)),
    ended: meter.ended,
  });
  setInterval(() => {
    meter.sent += 1;
    send();
  }, EVERY_MS);
  return meter;
}

function later() {
  let resolve;
  const promise = new Promise((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** One session for all of it, like ssh's: it is never opened again. */
function tcp(address) {
  const socket = createConnection({ port: Number(port), host: address });
  const stream = meter('tcp', address, () => socket.write('x'));
  socket.setNoDelay(true);
  // The kernel may deliver several at once.
  socket.on('data', (text) => {
    for (let i = 0; i < text.length; i += 1) stream.heard();
  });
  for (const event of ['error', 'close'])
    socket.on(event, () => {
      stream.ended = true;
    });
  return stream;
}

function udp(address) {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  const stream = meter('udp', address, () => socket.send('x', Number(port), address));
  socket.on('message', () => stream.heard());
  socket.on('error', () => undefined);
  return stream;
}
