import type * as JustBash from "just-bash/browser";

type Result = JustBash.ExecResult;

/** The result of a command that succeeded. */
export function done(stdout = ""): Result {
  return { stdout, stderr: "", exitCode: 0 };
}

/** The result of a command that failed, with what it says about it. */
export function failed(message: string, exitCode: number): Result {
  return { stdout: "", stderr: `${message}\n`, exitCode };
}

/** Bytes as just-bash passes them on: a character each. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  // Spreading a large array overflows the stack, so go by chunks.
  for (let i = 0; i < bytes.length; i += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  }
  return text;
}

/** The bytes that {@link latin1} made characters. */
export function fromLatin1(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
