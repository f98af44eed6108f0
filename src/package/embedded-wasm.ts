import { decodeBase64 } from "../util/base64.ts";

/** String literals that stand one after another, the first of which begins as WebAssembly in base64 does. */
const LITERALS =
  /"AGFzbQ[A-Za-z0-9+/=]*"(?:\s*\+\s*"[A-Za-z0-9+/=]*")*|'AGFzbQ[A-Za-z0-9+/=]*'(?:\s*\+\s*'[A-Za-z0-9+/=]*')*|`AGFzbQ[A-Za-z0-9+/=]*`/g;

/**
 * The WebAssembly modules that stand in a package's code as base64, each once. An isolate can't compile WebAssembly while
 * it runs, so they are handed to it with its code.
 */
export function embeddedWasm(code: string): Uint8Array<ArrayBuffer>[] {
  const found = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const [literals] of code.matchAll(LITERALS)) {
    const text = literals.replace(/[^A-Za-z0-9+/=]|(?<=["'\s])\+(?=["'\s])/g, "");
    try {
      found.set(text, decodeBase64(text));
    } catch {
      // It only began like one.
    }
  }
  return [...found.values()];
}
