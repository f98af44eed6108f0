declare module "picomatch" {
  const picomatch: {
    /** The regular expression of a pattern. */
    makeRe(pattern: string, options?: { readonly windows?: boolean; readonly dot?: boolean }): RegExp;
  };
  export default picomatch;
}
