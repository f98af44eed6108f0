/** Numbers, times and names as people read them. */

/** The last eight digits of a UUID, or the first eight of a hash, as the command line shows them. */
export function shortId(id: string): string {
  return id.includes("-") ? id.slice(-8) : id.slice(0, 8);
}

/** A length of time, given in milliseconds. */
export function duration(millis: number): string {
  if (millis < 1) return "< 1 ms";
  if (millis < 1000) return `${Math.round(millis)} ms`;
  const seconds = millis / 1000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  const minutes = Math.floor(seconds / 60);
  const rest = Math.floor(seconds % 60);
  if (minutes < 60) return `${minutes} min ${String(rest).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

const SIZES = ["bytes", "KB", "MB", "GB", "TB"];

/** A number of bytes. */
export function byteSize(bytes: number): string {
  let [size, unit] = [bytes, 0];
  while (size >= 1024 && unit < SIZES.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${SIZES[unit]}`;
}

const dayAndTime = new Intl.DateTimeFormat(undefined, {
  year: "numeric",
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});

/** A time, given in milliseconds since the epoch. */
export function dateTime(millis: number | null | undefined): string {
  return millis === null || millis === undefined ? "" : dayAndTime.format(millis);
}

const counting = new Intl.NumberFormat();

/** A whole number with separators. */
export function count(number: number): string {
  return counting.format(number);
}

/** `1 job`, `2 jobs` */
export function plural(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** The name of a task without its namespace. */
export function taskName(fullname: string): string {
  return fullname.slice(fullname.lastIndexOf(".") + 1);
}
