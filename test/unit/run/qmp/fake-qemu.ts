/** The other end of a monitor, played by a test: what QEMU would write, at the moment the test says. */
import { type Duplex, duplexPair } from 'node:stream';

export interface FakeQemu {
  /** Our end, for openQmp(). */
  readonly stream: Duplex;
  readonly qemu: Duplex;
  /** One message, with QEMU's line end. */
  say(message: object): void;
  greet(): void;
  /** The next command that arrives. */
  next(): Promise<{ execute: string; arguments?: object; id: string }>;
  /** Greets and answers qmp_capabilities. */
  negotiate(): Promise<void>;
}

export function fakeQemu(): FakeQemu {
  const [stream, qemu] = duplexPair();
  const lines: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  let rest = '';
  qemu.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) {
      const give = waiting.shift();
      if (give) give(line);
      else lines.push(line);
    }
  });
  const fake: FakeQemu = {
    stream,
    qemu,
    say: (message) => {
      qemu.write(`${JSON.stringify(message)}\r\n`);
    },
    greet: () =>
      fake.say({
        QMP: {
          version: { qemu: { micro: 0, minor: 0, major: 10 }, package: '' },
          capabilities: ['oob'],
        },
      }),
    next: async () => {
      const line = lines.shift() ?? (await new Promise<string>((resolve) => waiting.push(resolve)));
      return JSON.parse(line);
    },
    negotiate: async () => {
      fake.greet();
      const { id } = await fake.next();
      fake.say({ return: {}, id });
    },
  };
  return fake;
}
