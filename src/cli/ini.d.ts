/** The part of the library that reads. */
declare module "ini" {
  export function parse(
    text: string,
    options?: { readonly bracketedArray?: boolean },
  ): Record<string, unknown>;
}
