/** A picture that is drawn again in its place, and the terminal as it was afterwards. */
import { constants } from 'node:os';
import { EXIT } from '../../errors.ts';

export interface Screen {
  draw(text: string): void;
  close(): void;
}

/** ECMA-48 and xterm's private modes: 1049 the other screen, 25 the cursor, 2026 show a frame only when it is whole. */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const [FRAME, SHOWN] = ['\u001b[?2026h\u001b[H', '\u001b[?2026l'];
const [REST_OF_LINE, REST_OF_SCREEN] = ['\u001b[K', '\u001b[J'];

/** What is drawn goes over the last picture, so nothing flickers; what does not fit is cut with a word. */
export function openScreen(stream: NodeJS.WriteStream = process.stdout): Screen {
  let last = '';
  let isOpen = true;
  const draw = (text: string): void => {
    last = text;
    const rows = stream.rows || 24;
    const lines = text.split('\n');
    const shown = lines.length < rows ? lines : lines.slice(0, rows - 2);
    const cut = lines.length - shown.length;
    const foot = cut > 0 ? [`... ${cut} more lines: make the terminal taller`] : [];
    const body = [...shown, ...foot].map((line) => `${line}${REST_OF_LINE}`).join('\n');
    stream.write(`${FRAME}${body}${REST_OF_SCREEN}${SHOWN}`);
  };
  const onStop = (): void => {
    stream.write(LEAVE);
    // Now really, as the shell expects it of Ctrl-Z.
    process.kill(process.pid, 'SIGSTOP');
  };
  const onContinue = (): void => {
    stream.write(ENTER);
    draw(last);
  };
  // Whatever ends us, also a bug.
  const onExit = (): void => {
    if (isOpen) stream.write(LEAVE);
    isOpen = false;
  };
  process.on('SIGTSTP', onStop).on('SIGCONT', onContinue).on('exit', onExit);
  stream.write(ENTER);
  return {
    draw,
    close() {
      onExit();
      process.off('SIGTSTP', onStop).off('SIGCONT', onContinue).off('exit', onExit);
    },
  };
}

export interface Stop {
  /** undefined until somebody asks us to stop; then our exit status. */
  status(): number | undefined;
  /** Resolves after that time, or at once when we are to stop or the terminal changes its size. */
  orAfter(waitMs: number): Promise<void>;
  forget(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Ctrl-C is how watching ends, and so is a reader that goes away: status 0. Other signals as a shell tells them. */
export function listenForStop(): Stop {
  let status: number | undefined;
  let wake: () => void = () => undefined;
  const stop = (why: number): void => {
    status ??= why;
    wake();
  };
  const onSignal = (signal: NodeJS.Signals): void =>
    stop(signal === 'SIGINT' ? EXIT.ok : 128 + constants.signals[signal]);
  const onGone = (): void => stop(EXIT.ok);
  const onResize = (): void => wake();
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.stdout.on('error', onGone).on('resize', onResize);
  return {
    status: () => status,
    orAfter: (waitMs) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, status === undefined ? waitMs : 0);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
    forget() {
      for (const signal of SIGNALS) process.off(signal, onSignal);
      process.stdout.off('error', onGone).off('resize', onResize);
    },
  };
}
