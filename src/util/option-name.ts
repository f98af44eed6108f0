/** The option of a parameter on a command line: `maxDepth` is `max-depth`. */
export function optionName(parameter: string): string {
  return parameter
    .replace(/([a-z\d])([A-Z])/g, "$1-$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1-$2")
    .replaceAll("_", "-")
    .toLowerCase();
}
