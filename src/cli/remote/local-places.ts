import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Traceback } from "../../scheduler/traceback.ts";

/** The place at the end of a line of a JavaScript stack: path, line and column. */
const PLACE = /(?:file:\/\/)?(\/[^\s()]+?)(:\d+:\d+\)?)$/;

/**
 * A traceback from a server with the places of the workflow's own files, which the server has not, as they are here.
 *
 * @param folder - the folder of the workflow, below which the server names its files
 */
export function withLocalPlaces(traceback: Traceback, folder: string): Traceback {
  return { ...traceback, stack: traceback.stack.map((line) => localLine(line, folder)) };
}

function localLine(line: string, folder: string): string {
  return line.replace(PLACE, (whole, path: string, position: string) => {
    const parts = path.split("/");
    // The longest end of the path that is here is meant.
    for (let i = 1; i < parts.length; i++) {
      const here = join(folder, ...parts.slice(i));
      if (existsSync(here)) return `${here}${position}`;
    }
    return whole;
  });
}
