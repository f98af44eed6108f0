/** What the app may load and reach. No script and no style is inline, and no code of a user runs on the page. */
const POLICY: Readonly<Record<string, string>> = {
  "default-src": "'self'",
  "script-src": "'self' 'wasm-unsafe-eval' blob:",
  "worker-src": "'self' blob:",
  "style-src": "'self'",
  "connect-src": "'self' https: http:",
  "img-src": "'self' blob: data:",
  "frame-src": "'self' blob:",
  "object-src": "'none'",
  "base-uri": "'none'",
  "form-action": "'none'",
};

/** The content security policy as text. */
export const contentSecurityPolicy: string = policyText(POLICY);

/** A policy as text. */
export function policyText(policy: Readonly<Record<string, string>>): string {
  return Object.entries(policy)
    .map(([directive, sources]) => `${directive} ${sources}`)
    .join("; ");
}

/** The headers that a server gives every file of the app. The first two are the price of shared memory. */
export const securityHeaders: Readonly<Record<string, string>> = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  // Only a header can keep others from framing the app.
  "Content-Security-Policy": `${contentSecurityPolicy}; frame-ancestors 'none'`,
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};
