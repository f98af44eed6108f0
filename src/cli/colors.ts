import pico from "picocolors";

type Colors = ReturnType<typeof pico.createColors>;

function colorsFor(stream: { readonly isTTY?: boolean }): Colors {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR) return pico.createColors(false);
  if (FORCE_COLOR !== undefined) return pico.createColors(FORCE_COLOR !== "0");
  return pico.createColors(stream.isTTY === true && TERM !== "dumb");
}

/** Colours for what goes to stdout, if it is a terminal. */
export const colors: Colors = colorsFor(process.stdout);
/** Colours for what goes to stderr, if it is a terminal. */
export const logColors: Colors = colorsFor(process.stderr);
