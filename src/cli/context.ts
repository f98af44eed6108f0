import { readFileSync } from "node:fs";
import type { Json } from "../value/json.ts";
import { mergeObjects } from "../value/nested.ts";
import { RedunClientError } from "./client-error.ts";
import { parseContext, type SchedulerSettings } from "./config.ts";
import { parseTag } from "./tag-text.ts";

type Context = Record<string, unknown>;

/** The configuration's context: its own values over those of its file. */
export function configContext({ context, contextFile }: SchedulerSettings): Context {
  const fromFile = contextFile === undefined ? {} : readContext(contextFile);
  return mergeObjects(fromFile, context as Context);
}

/** The command line's context: its values over those of its file. */
export function optionContext(file: string | undefined, values: readonly string[] = []): Context {
  let context: Context = file === undefined ? {} : readContext(file);
  for (const text of values) {
    const { key, value } = parseTag(text);
    const nested = key.split(".").reduceRight<unknown>((inner, part) => ({ [part]: inner }), value ?? null);
    context = mergeObjects(context, nested as Context);
  }
  return context;
}

function readContext(path: string): Record<string, Json> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new RedunClientError(
      `Cannot read the context file ${path}: ${(error as NodeJS.ErrnoException).code}`,
      {
        cause: error,
      },
    );
  }
  return parseContext(text, `the context file ${path}`);
}
