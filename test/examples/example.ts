import { cpSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { Workspace } from "../cli/harness.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples", import.meta.url));

/** What a run gave, and the calls of the workflow's own tasks: those that ran, and those that came from the cache. */
export interface ExampleRun {
  readonly result: string;
  readonly ran: readonly string[];
  readonly cached: readonly string[];
  readonly stderr: string;
}

/** A copy of an example in a folder of its own, with a repository of its own, for one test. */
export class Example extends Workspace {
  constructor(name: string) {
    super();
    onTestFinished(() => rmSync(this.dir, { recursive: true, force: true }));
    cpSync(`${EXAMPLES}/${name}`, this.dir, { recursive: true });
  }

  /** Runs a task of the example's workflow, which must succeed. */
  async run(args: string): Promise<ExampleRun> {
    const { code, stdout, stderr } = await this.redun(`run workflow.ts ${args}`);
    if (code !== 0) throw new Error(`redun run workflow.ts ${args} ended with ${code}:\n${stderr}`);
    const calls = (line: RegExp) =>
      [...stderr.matchAll(line)].map((match) => match[1]!).filter((call) => !call.startsWith("redun."));
    return {
      result: stdout.trimEnd(),
      ran: calls(/ Run {4}Job \w+: {2}(.*) on \w+$/gm),
      cached: calls(/ Cached Job \w+: {2}(.*)$/gm),
      stderr,
    };
  }

  /** Replaces a piece of a file's text, which must be there. */
  edit(name: string, from: string, to: string): void {
    const text = this.read(name);
    if (!text.includes(from)) throw new Error(`${name} does not contain ${JSON.stringify(from)}`);
    this.write(name, text.replaceAll(from, to));
  }
}
