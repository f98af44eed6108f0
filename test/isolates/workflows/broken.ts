/** Fails while it is loaded. */
import { task } from "redun";

export const never = task("broken.never", () => 1);

throw new TypeError("no good");
