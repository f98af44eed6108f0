import { task } from "redun";

task("same.who", () => "a");
