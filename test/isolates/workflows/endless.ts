/** Loops while it is loaded. */
import { task } from "redun";

task("endless.never", () => 1);

for (;;);
