import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A web server whose only page is a nonce: who can say it has really fetched it. */
export interface NonceServer {
  readonly nonce: string;
  /** TCP port on the address it was started on. */
  readonly port: number;
  /** Remote addresses of the requests so far. */
  readonly requests: readonly string[];
}

/** Serves a fresh nonce for the running test, on 127.0.0.1 unless told otherwise. */
export async function serveNonce(address = '127.0.0.1'): Promise<NonceServer> {
  const nonce = randomUUID();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.socket.remoteAddress ?? '');
    response.end(`${nonce}\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { nonce, port: (server.address() as AddressInfo).port, requests };
}
