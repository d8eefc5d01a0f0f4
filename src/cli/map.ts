/** qlaunch map: its options. What it does is loaded only when it is called. */
import { type Command, InvalidArgumentError } from 'commander';

export function registerMap(program: Command, done: (status: number) => void): void {
  program
    .command('map')
    .summary('draw bridges, their ports and the VMs on them')
    .description(
      'Draw the host’s switch board: uplink, bridge, ports, taps, and which VM is behind them. Needs no rights; root also sees whose taps other users’ processes hold.',
    )
    .option('--watch [seconds]', 'draw again every second, with rates, until Ctrl-C', interval)
    .option('--svg <file>', 'write the picture as SVG')
    .option('--json', 'one object; with --watch one per line')
    .action(async (options) => done(await (await import('./map/show.ts')).showMap(options)));
}

function interval(text: string): number {
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds >= 0.1 && seconds <= 3600) return seconds;
  throw new InvalidArgumentError('Write a number of seconds, 0.1 to 3600.');
}
