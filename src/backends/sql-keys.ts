/**
 * How ids are stored: a hash as 20 bytes, a UUID as 16, anything else as the text it is. Half the size of text, and
 * so half the pages that inserts in the order of hashes touch.
 *
 * These functions make SQL expressions that convert between an id's text and its stored form.
 *
 * @module
 */

/** The stored form of a hash, from its hex digits. */
export const hashKey = (text: string): string => `unhex(${text})`;

/** The hex digits of a stored hash. */
export const hashText = (column: string): string => `lower(hex(${column}))`;

/** The same for a column that may be null. */
export const hashTextOrNull = (column: string): string => `nullif(${hashText(column)}, '')`;

/** Whether text may be a UUID; one in upper case would come back in lower case, so it stays text. */
const isUuid = (text: string): string => `length(${text}) = 36 AND ${text} NOT GLOB '*[A-F]*'`;

/** The stored form of the id of a job or an execution. */
export const uuidKey = (text: string): string =>
  `CASE WHEN ${isUuid(text)} THEN ifnull(unhex(${text}, '-'), ${text}) ELSE ${text} END`;

/** The text of a stored UUID. */
export const uuidText = (column: string): string => {
  const part = (start: number, length: number): string => `substr(hex(${column}), ${start}, ${length})`;
  const parts = [part(1, 8), part(9, 4), part(13, 4), part(17, 4), part(21, 12)];
  return `CASE typeof(${column}) WHEN 'blob' THEN lower(${parts.join("||'-'||")}) ELSE ${column} END`;
};

/** The stored form of any id. */
export const anyKey = (text: string): string =>
  `CASE WHEN length(${text}) = 40 AND ${text} NOT GLOB '*[A-F]*' THEN ifnull(unhex(${text}), ${text}) ELSE ${uuidKey(text)} END`;

/** The text of a stored id of any kind. */
export const anyText = (column: string): string =>
  `CASE length(${column}) WHEN 20 THEN iif(typeof(${column}) = 'blob', ${hashText(column)}, ${column}) ELSE ${uuidText(column)} END`;

/** A stored time as UTC text with microseconds. */
export const timeText = (column: string): string =>
  `strftime('%Y-%m-%d %H:%M:%S', ${column} / 1000.0, 'unixepoch') || printf('.%06d', CAST(round(${column} * 1000) AS INTEGER) % 1000000)`;

/** Whether a text may be the beginning of a hash. */
export const isHashPrefix = (text: string): boolean => /^[0-9a-f]{0,40}$/.test(text);

/** The ids that begin with a prefix, as a condition on a column of stored hashes. */
export function hashPrefix(column: string, prefix: string): { sql: string; params: string[] } {
  if (!isHashPrefix(prefix)) return { sql: "0", params: [] };
  return {
    sql: `${column} BETWEEN unhex(?) AND unhex(?)`,
    params: [prefix.padEnd(40, "0"), prefix.padEnd(40, "f")],
  };
}

const UUID_SHAPE = "00000000-0000-0000-0000-000000000000";

/** The same for a column of stored UUIDs. */
export function uuidPrefix(column: string, prefix: string): { sql: string; params: string[] } {
  const asText = { sql: `${column} BETWEEN ? AND ? || char(1114111)`, params: [prefix, prefix] };
  const isUuid =
    /^[0-9a-f-]{0,36}$/.test(prefix) && [...prefix].every((c, i) => (c === "-") === (UUID_SHAPE[i] === "-"));
  if (!isUuid) return asText;
  const digits = prefix.replaceAll("-", "");
  return {
    sql: `${column} BETWEEN unhex(?) AND unhex(?) OR ${asText.sql}`,
    params: [digits.padEnd(32, "0"), digits.padEnd(32, "f"), ...asText.params],
  };
}
