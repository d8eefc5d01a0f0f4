// netns, vm and lab tests change the machine they run on: they start only in a sandbox or in the lab.
if (process.env['QLAUNCH_TEST_SANDBOX'] === undefined && process.env['QLAUNCH_TEST_LAB'] === undefined) {
  throw new Error('this test must not run on the machine itself; run it with: scripts/test TIER -- FILE');
}
