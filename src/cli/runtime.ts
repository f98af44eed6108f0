import { registerHttpFileSystem } from "../file-systems/http.ts";
import { registerLocalFileSystem } from "../file-systems/local.ts";
import { registerMemoryFileSystem } from "../file-systems/memory.ts";

let ready = false;

/** Registers the file systems of Node and Deno, once. */
export function registerFileSystems(): void {
  if (ready) return;
  ready = true;
  registerLocalFileSystem();
  registerHttpFileSystem();
  registerMemoryFileSystem();
}
