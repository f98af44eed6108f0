/** Never says what it defines. */
import { task } from "redun";

task("mute.never", () => 1);

const { stringify } = JSON;
JSON.stringify = ((...args: Parameters<typeof stringify>) => {
  setInterval(() => {}, 1_000);
  // What a promise is resolved with from now on counts as a promise that never is.
  Object.defineProperty(Object.prototype, "then", { value: () => {}, configurable: true });
  return stringify(...args);
}) as typeof stringify;
