/** What the build knows of its own files, put in place of these names. */
declare const ASSETS: {
  /** Addresses relative to the page. */
  readonly engine: string;
  readonly job: string;
  readonly esbuild: string;
  readonly serviceWorker: string;
};

declare module "*?text" {
  const text: string;
  export default text;
}
