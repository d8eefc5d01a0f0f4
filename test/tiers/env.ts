/** What scripts/test hands to the tests. Reading one that is missing says how tests are started. */
export function fromRunner(name: 'QLAUNCH_TEST_GUEST' | 'QLAUNCH_TEST_QEMU10'): string {
  const value = process.env[name];
  if (value === undefined || value === '') {
    throw new Error(
      `${name} is not set: run this file with scripts/test TIER -- FILE, which makes what it needs`,
    );
  }
  return value;
}
