import { shellQuote } from "../file/shell.ts";

const SHEBANG = "#!/usr/bin/env bash\nset -exo pipefail\n";

/** Text without the indentation that all of its lines share, and without blank lines around it. */
export function dedent(text: string): string {
  const lines = text.replace(/\t/g, "        ").split("\n");
  const indents = lines.filter((line) => line.trim() !== "").map((line) => /^ */.exec(line)![0].length);
  const shared = indents.length === 0 ? 0 : Math.min(...indents);
  return shared === 0
    ? text
    : text
        .split("\n")
        .map((line) => dropIndent(line, shared))
        .join("\n");
}

function dropIndent(line: string, columns: number): string {
  let at = 0;
  for (let i = 0; i < line.length && at < columns; i++) {
    if (line[i] === "\t") at += 8;
    else if (line[i] === " ") at++;
    else return line.slice(i);
    if (at >= columns) return line.slice(i + 1);
  }
  return line.trimStart();
}

/** A command as a script: dedented, and with a shebang that stops at the first failing command if it has none. */
export function prepareCommand(command: string | readonly string[]): string {
  const text = typeof command === "string" ? dedent(command).trim() : command.map(shellQuote).join(" ");
  return text.startsWith("#!") ? text : `${SHEBANG}${text}`;
}

/** A here-document's end mark that no line of the text equals. */
function endMark(text: string): string {
  const lines = new Set(text.split("\n"));
  let mark = "EOF";
  for (let i = 1; lines.has(mark); i++) mark = `EOF${i}`;
  return mark;
}

/**
 * Stands in a rendered path for the folder where the script begins, of which a relative path of a kept file speaks.
 * {@link wrapCommand} makes it a variable, so that the script does not depend on where it is made.
 */
export const START = "/@redun-start@";

/** The line of a wrapped command that starts it, by the interpreter that it names. */
export const RUN_COMMAND = '"$REDUN_COMMAND"';

/** Puts the variable outside of single quotes, in which the shell would leave it as it is. */
function withStart(line: string): string {
  return line.replaceAll(`'${START}/`, `"$REDUN_START"'/`).replaceAll(`${START}/`, `"$REDUN_START"/`);
}

/**
 * A script that stages files in, runs a command with its own interpreter, and stages files out. The exit status is the
 * command's. With `tempdir` all of it happens in a new folder, which is removed afterwards; its name does not enter the
 * script, so that the script is the same each time.
 */
export function wrapCommand(
  command: string | readonly string[],
  stage: readonly string[],
  unstage: readonly string[],
  tempdir: boolean,
): string {
  const script = prepareCommand(command);
  const mark = endMark(script);
  const lines = [
    "#!/usr/bin/env bash",
    "set -e -o pipefail",
    "REDUN_COMMAND=$(mktemp)",
    ...(tempdir
      ? [
          "REDUN_START=$PWD",
          "REDUN_TEMPDIR=$(mktemp -d)",
          'trap \'rm -rf "$REDUN_COMMAND" "$REDUN_TEMPDIR"\' EXIT',
          'cd "$REDUN_TEMPDIR"',
        ]
      : ["trap 'rm -f \"$REDUN_COMMAND\"' EXIT"]),
    ...stage.filter((line) => line !== "").map(withStart),
    `cat > "$REDUN_COMMAND" <<'${mark}'`,
    script,
    mark,
    'chmod +x "$REDUN_COMMAND"',
    RUN_COMMAND,
    ...unstage.filter((line) => line !== "").map(withStart),
  ];
  return `${lines.join("\n")}\n`;
}
