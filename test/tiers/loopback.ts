/** What listens on this host's 127.0.0.1, and a guest that tries to get there by its wire. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { scratchDir } from './guest.ts';

/** A page "secret" on 127.0.0.1 of this host, in a process of its own: who asks may block ours. Gives its URL. */
export async function hostSecret(): Promise<string> {
  const dir = scratchDir();
  writeFileSync(join(dir, 'index.html'), 'secret\n');
  const server = spawn('busybox', ['httpd', '-f', '-p', '127.0.0.1:17777', '-h', dir]);
  await once(server, 'spawn');
  onTestFinished(async () => {
    server.kill();
    await once(server, 'exit');
  });
  const url = 'http://127.0.0.1:17777/';
  for (let tries = 0; ; tries += 1) {
    const answer = await fetch(url).catch(() => undefined);
    if ((await answer?.text()) === 'secret\n') return url;
    if (tries > 300) throw new Error(`nothing answers on ${url}`);
    await sleep(100);
  }
}

/** From now on the namespace sends what is for 127.0.0.0/8 to its gateway, and takes answers from there. */
export function reachLoopback(namespace: string, gateway: string, own: string): void {
  const inside = (...argv: readonly string[]): void =>
    void execFileSync('ip', ['netns', 'exec', namespace, ...argv]);
  inside('sysctl', '-qw', 'net.ipv4.conf.all.route_localnet=1');
  // With it its local routes go; and what comes from an address of its own, it would not believe.
  inside('ip', 'address', 'delete', '127.0.0.1/8', 'dev', 'lo');
  inside('ip', 'route', 'add', '127.0.0.0/8', 'via', gateway, 'src', own);
}
