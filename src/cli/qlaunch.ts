/** The program `qlaunch`. */
import { main } from './main.ts';

void main(process.argv.slice(2)).then((status) => {
  // Not process.exit(): what is still being written or taken down may finish.
  process.exitCode = status;
});
