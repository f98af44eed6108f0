import type { StoredPackage } from "../package/types.ts";
import { optionName } from "../util/option-name.ts";
import { display } from "../value/display.ts";
import { decodeValue } from "../value/value.ts";
import type { RunRequest } from "./engine-api.ts";

/** The arguments of a run, decoded. */
export function argumentsOf({ args }: RunRequest): unknown[] {
  return args.map((text) => (text === undefined ? undefined : decodeValue(text)));
}

/** The command that would do the same in a terminal. */
export function commandLine({ manifest }: Pick<StoredPackage, "manifest">, request: RunRequest): string[] {
  const words = ["redun", "run", manifest.entry, request.task];
  const parameters = manifest.tasks.find(({ fullname }) => fullname === request.task)?.parameters ?? [];
  argumentsOf(request).forEach((value, i) => {
    if (request.args[i] === undefined) return;
    words.push(`--${optionName(parameters[i]?.name ?? `arg${i}`)}`);
    words.push(typeof value === "string" ? value : display(value));
  });
  return words;
}
