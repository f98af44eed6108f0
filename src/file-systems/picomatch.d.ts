declare module "picomatch" {
  /** Makes a function that says whether a path matches a pattern. */
  export default function picomatch(
    pattern: string,
    options?: { readonly windows?: boolean; readonly dot?: boolean },
  ): (path: string) => boolean;
}
