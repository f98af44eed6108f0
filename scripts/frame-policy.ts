import { createHash } from "node:crypto";
import { policyText } from "../src/server/web-headers.ts";

/** What the frame for pages that tasks made may do: show styles and what is embedded, and run its one script. */
export function framePolicy(script: string): string {
  const hash = createHash("sha256").update(script).digest("base64");
  return policyText({
    "default-src": "'none'",
    "script-src": `'sha256-${hash}'`,
    "style-src": "'unsafe-inline'",
    "img-src": "data: blob:",
    "font-src": "data:",
    "base-uri": "'none'",
    "form-action": "'none'",
  });
}
