/** Writes a line of the instance's log, as JSON, for `wrangler tail` and the dashboard. It must hold no secret. */
export function logLine(line: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify(line));
}

/** Writes what went wrong. @param where - such as the name of a repository */
export function logFault(
  message: string,
  error: unknown,
  where: Readonly<Record<string, unknown>> = {},
): void {
  const text = error instanceof Error ? (error.stack ?? String(error)) : String(error);
  console.error(JSON.stringify({ time: Date.now(), level: "error", ...where, message, error: text }));
}
