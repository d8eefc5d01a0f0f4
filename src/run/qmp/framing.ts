/**
 * QMP's framing: bytes to JSON values, one per line.
 *
 * QEMU ends each message with CRLF and never writes a line break inside one (that needs `-mon pretty=on`, which
 * we never give). Lines are cut on the byte 0x0A, which no multi-byte UTF-8 sequence contains, and decoded only
 * when complete: a chunk may end anywhere, also inside a character.
 */
import type { Json } from './message.ts';

/** query-qmp-schema of QEMU 10 is about 250 KB on one line; sixteen MiB means we are not talking to QEMU. */
const MAX_LINE_BYTES: number = 16 * 1024 * 1024;

const LF = 0x0a;

/** The stream is not QMP. `line` is what came instead, cut to 200 characters. */
export class QmpFramingError extends Error {
  readonly line: string;
  constructor(what: string, line: string) {
    super(what);
    this.name = 'QmpFramingError';
    this.line = line.slice(0, 200);
  }
}

export interface QmpDecoder {
  /** The messages that this chunk completes, in order. Throws QmpFramingError; the stream is useless then. */
  push(chunk: Uint8Array): Json[];
}

export function qmpDecoder(maxLineBytes: number = MAX_LINE_BYTES): QmpDecoder {
  /** The beginning of a line whose end has not come. */
  let head: Uint8Array[] = [];
  let headBytes = 0;
  return {
    push(chunk) {
      const messages: Json[] = [];
      let from = 0;
      for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, from)) {
        head.push(chunk.subarray(from, end));
        const line = Buffer.concat(head).toString('utf8');
        head = [];
        headBytes = 0;
        from = end + 1;
        // JSON.parse takes the CR for white space. An empty line is legal between messages.
        if (line.trim() !== '') messages.push(parse(line));
      }
      if (from < chunk.length) {
        head.push(chunk.subarray(from));
        headBytes += chunk.length - from;
      }
      if (headBytes > maxLineBytes)
        throw new QmpFramingError(
          `more than ${maxLineBytes} bytes without a line end`,
          Buffer.concat(head).toString('utf8', 0, 200),
        );
      return messages;
    },
  };
}

function parse(line: string): Json {
  try {
    return JSON.parse(line) as Json;
  } catch {
    throw new QmpFramingError('a line that is not JSON', line.trim());
  }
}
