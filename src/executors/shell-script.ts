/** What a script's first line says. */
export interface Shebang {
  /** Name of the program that reads the script, such as `bash`. */
  readonly interpreter: string;
  readonly isShell: boolean;
  /** The script, with options of its first line set by a command. */
  readonly text: string;
}

/** Reads the first line of a script; without one, bash runs it. */
export function readShebang(text: string): Shebang {
  const line = /^#!\s*([^\n]*)/.exec(text)?.[1]?.trim();
  if (line === undefined) return { interpreter: "bash", isShell: true, text };
  let words = line.split(/\s+/);
  if (nameOf(words[0]!) === "env") {
    const program = words.findIndex((word, i) => i > 0 && !word.startsWith("-") && !word.includes("="));
    words = words.slice(program < 0 ? words.length : program);
  }
  const [program = "", ...options] = words;
  const interpreter = nameOf(program);
  const isShell = ["bash", "sh", "dash"].includes(interpreter);
  if (!isShell || options.length === 0) return { interpreter, isShell, text };
  return { interpreter, isShell, text: text.replace(/^[^\n]*/, () => `set ${options.join(" ")}`) };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
