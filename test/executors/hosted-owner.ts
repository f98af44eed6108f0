/** Runs jobs of a hosted package, prints the ids of their processes, and leaves the rest to them. */
import { jobSpec, recordingContext } from "../../src/executor/contract.ts";
import { decodeValue } from "../../src/value/value.ts";
import { Hosted } from "./hosted.ts";

const hosted = new Hosted();
const hash = await hosted.add(`
import { task } from "redun";
export const here = task("here", () => process.pid);
export const later = task("later", async () => process.pid);
export const spin = task("spin", async () => { for (;;); });
`);
const { task } = await hosted.scheduler(hash);
const run = async (name: string): Promise<unknown> => {
  const spec = jobSpec(task(name), [], { package: hash });
  const result = await hosted.executor.run(spec, recordingContext());
  return result.ok ? decodeValue(result.value) : result.error;
};
console.log(await run("here"), await run("later"));
if (process.argv[2] === "busy") void run("spin");
