/** What `*` stands for in a name that fits a pattern; empty for a pattern without one. */
export function matched(pattern: string, name: string): string | undefined {
  const [head = "", tail] = pattern.split("*");
  if (tail === undefined) return pattern === name ? "" : undefined;
  const fits = name.startsWith(head) && name.endsWith(tail) && name.length >= head.length + tail.length;
  return fits ? name.slice(head.length, name.length - tail.length) : undefined;
}

/** Of the patterns that a name fits, itself or that with the longest beginning. */
export function longestPattern(patterns: readonly string[], name: string): string | undefined {
  if (patterns.includes(name)) return name;
  let best: string | undefined;
  for (const pattern of patterns) {
    if (matched(pattern, name) === undefined) continue;
    if (best === undefined || pattern.indexOf("*") > best.indexOf("*")) best = pattern;
  }
  return best;
}
