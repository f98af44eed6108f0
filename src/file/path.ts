/** The scheme and host of a URL, with the slashes that follow, or the leading slashes of a path. */
function rootOf(path: string): string {
  return /^(?:[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/]*)?\/*/.exec(path)?.[0] ?? "";
}

/** The last part of a path; slashes at its end don't count. */
export function baseName(path: string): string {
  const trimmed = path.replace(/\/+$/, "");
  return trimmed.slice(trimmed.lastIndexOf("/") + 1);
}

/** A path without its last part: `a` of `a/b`, nothing of `b`, and never less than the root. */
export function dirName(path: string): string {
  const root = rootOf(path);
  const end = path.lastIndexOf("/");
  if (end < root.length) return root === "/" ? root : root.replace(/\/+$/, "");
  return path.slice(0, end).replace(/\/+$/, "");
}

/** A folder's path without slashes at its end, except where the slash is the whole of it. */
export function folderPath(path: string): string {
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\/\/*$/.test(path)) return path;
  return path.replace(/\/+$/, "") || "/";
}

/** A path below a folder. */
export function joinPath(folder: string, relative: string): string {
  const rest = relative.replace(/^\/+/, "");
  return folder === "" ? rest : folder.endsWith("/") ? folder + rest : `${folder}/${rest}`;
}

/** Where something is staged: see `File.stage`. */
export function stagedPath<T>(local: string | T | undefined, remote: string): string | T {
  if (local === undefined) return baseName(remote);
  return typeof local === "string" && local.endsWith("/") ? local + baseName(remote) : local;
}

/** The form in which people read a value that is a path: `File('a.txt')`. */
export function displayPath(type: string, ...paths: readonly string[]): string {
  return `${type}(${paths.map(quoted).join(", ")})`;
}

function quoted(text: string): string {
  const json = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');
  return `'${json.replaceAll("'", "\\'")}'`;
}
