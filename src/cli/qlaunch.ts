/** The program `qlaunch`. */

/**
 * `ps` stands in prompts, scripts and `watch`: its two plain forms do without the option parser, whose loading takes
 * longer than they do.
 */
async function start(argv: readonly string[]): Promise<number> {
  const words = argv.join(' ');
  if (words === 'ps' || words === 'ps --json') {
    const [{ ps }, { fail }] = await Promise.all([import('./ps.ts'), import('./terminal.ts')]);
    return ps({ json: argv.length > 1 }).catch(fail);
  }
  const { main } = await import('./main.ts');
  return main(argv);
}

void start(process.argv.slice(2)).then((status) => {
  // Not process.exit(): what is still being written or taken down may finish.
  // An output that could not be written has set it already.
  process.exitCode ||= status;
});
