/** Fails while it is loaded. */
import { task } from "redun";

task("broken.never", () => 1);

throw new TypeError("no good");
