import { task } from "redun";
export const who = task("same.who", () => "a");
