/** fnmatch(3) without a path: `*`, `?`, `[a-z]`, `[!a-z]`, as link names are matched in configuration files. */
export function matchesGlob(pattern: string, name: string): boolean {
  const regex = pattern
    .replaceAll(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('[!', '[^')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  try {
    return new RegExp(`^${regex}$`).test(name);
  } catch {
    // A bracket that is never closed stands for itself.
    return pattern === name;
  }
}
