import { encodeValue } from "../value/value.ts";
import { storableErrorValue } from "./traceback.ts";

/** The error of a call in a store of Python's redun, as a failed call has it here. @returns its encoding */
export function pythonError(name: string, message: string): string {
  const error = new Error(message);
  error.name = name;
  error.stack = `${name}: ${message}`;
  const traceback = { frames: [], stack: [], error: `${name}: ${message}`, log: [] };
  return encodeValue(storableErrorValue(error, traceback)).text;
}
