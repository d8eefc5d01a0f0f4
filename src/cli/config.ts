/** qlaunch config show */
import { EXIT } from '../errors.ts';
import { showConfig } from '../spec/config-rows.ts';
import { parseVmSpec } from '../spec/vm.ts';
import { readDescription } from './describe.ts';
import { json, out, table } from './terminal.ts';

/** Shows the values even when some are wrong, then says what is wrong with them. */
export function show(
  named: string | undefined,
  options: { readonly json?: boolean } & Record<string, unknown>,
  extra: readonly string[],
): number {
  const { raw, context } = readDescription(named, options, extra);
  const rows = showConfig(raw);
  if (options.json) json(rows);
  else
    out(
      table(
        ['KEY', 'VALUE', 'FROM'],
        rows.map(({ key, value, from }) => [key, value, from]),
      ),
    );
  parseVmSpec(raw, { ...context, onlyShown: true });
  return EXIT.ok;
}
