/** Workflows to begin with. */
import errors from "../../examples/errors/workflow.ts?text";
import weather from "../../examples/folder/weather/2012.csv?text";
import fractal from "../../examples/fractal/workflow.ts?text";
import hello from "../../examples/hello/workflow.ts?text";
import recursion from "../../examples/recursion/workflow.ts?text";
import csv from "../examples/csv.ts?text";

/** A workflow that comes with the app. */
export interface Example {
  readonly name: string;
  readonly title: string;
  readonly text: string;
  /** A file that fits its parameters. */
  readonly sample?: { readonly name: string; readonly text: string };
}

/** All of them. */
export const examples: readonly Example[] = [
  { name: "hello", title: "Hello world", text: hello },
  {
    name: "csv",
    title: "Summary of a CSV file",
    text: csv,
    sample: { name: "weather-2012.csv", text: weather },
  },
  { name: "fractal", title: "A fractal in WebAssembly", text: fractal },
  { name: "recursion", title: "Recursion", text: recursion },
  { name: "errors", title: "Errors and retries", text: errors },
];

/** The example of a name. */
export function exampleNamed(name: string): Example | undefined {
  return examples.find((example) => example.name === name);
}
