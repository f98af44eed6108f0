/// <reference path="./picomatch.d.ts" />

import picomatch from "picomatch";
import { boundedMatcher } from "./bounded-regexp.ts";

/**
 * A function that says whether a path matches a pattern, in a time that grows with the path only.
 *
 * @throws FileError for a pattern that can't be matched so
 */
export function boundedGlob(pattern: string): (path: string) => boolean {
  return boundedMatcher(picomatch.makeRe(pattern, { windows: false }).source, pattern);
}
