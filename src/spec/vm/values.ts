import { findKey, type KeyName } from '../keys.ts';
import { parseSwitch } from '../number.ts';
import { parsePath } from '../path.ts';
import { BUILT_IN, type Gathering, isProblem, type Problem, type RawValue, type RawVm } from '../raw.ts';
import { parseText } from '../text.ts';

/** The values of [vm], parsed on demand; what is wrong with them is gathered. */
export class Values {
  readonly raw: RawVm;
  readonly home: string;
  readonly gathering: Gathering;

  constructor(raw: RawVm, home: string, gathering: Gathering) {
    this.raw = raw;
    this.home = home;
    this.gathering = gathering;
  }

  all(key: KeyName): readonly RawValue[] {
    return this.raw.values.get(key) ?? [];
  }

  /** What was written, else the built-in default. */
  text(key: KeyName): RawValue | undefined {
    const builtIn = findKey(key)?.default;
    return (
      this.all(key).at(-1) ?? (builtIn === undefined ? undefined : { text: builtIn, at: BUILT_IN, dir: '/' })
    );
  }

  read<T>(key: KeyName, parse: (value: RawValue) => T | Problem | readonly Problem[]): T | undefined {
    const value = this.text(key);
    if (value === undefined) return undefined;
    const result = parse(value);
    if (!isProblemList<T>(result)) return this.gathering.take(result);
    this.gathering.problems.push(...result);
    return undefined;
  }

  path(key: KeyName): string | undefined {
    return this.read(key, (value) => parsePath(value, this.home));
  }

  plain(key: KeyName): string | undefined {
    return this.read<string>(key, ({ text, at }) => parseText(text, at));
  }

  switch(key: KeyName): boolean {
    return this.read(key, ({ text, at }) => parseSwitch(text, at)) ?? false;
  }
}

function isProblemList<T>(result: T | Problem | readonly Problem[]): result is readonly Problem[] {
  return Array.isArray(result) && result.every(isProblem);
}
