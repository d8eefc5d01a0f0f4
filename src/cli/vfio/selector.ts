/** Selectors from the command line. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { isProblem } from '../../spec/raw.ts';
import { parseSelector, type Selector } from '../../spec/vfio/selector.ts';

/** Throws QL_USAGE (exit 2). */
export function readSelector(text: string, at: string = 'SELECTOR'): Selector {
  const selector = parseSelector(text, at);
  if (!isProblem(selector)) return selector;
  throw new QlaunchError('QL_USAGE', EXIT.usage, {
    what: `${selector.at}: ${selector.what}`,
    todo: [...(selector.hint === undefined ? [] : [selector.hint]), 'qlaunch vfio list'],
  });
}
