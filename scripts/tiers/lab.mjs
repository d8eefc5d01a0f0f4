export async function runLab(list, { say }) {
  say(`the lab is not built yet: ${list.length} files wait for it`);
  return [{ passed: 0, failed: list.length, skipped: [] }];
}
