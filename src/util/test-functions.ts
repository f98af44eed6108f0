/** What a contract suite needs of a test runner; vitest, Jest and Deno's `@std/testing` with `@std/expect` have it. */
export interface TestFunctions {
  readonly describe: (name: string, define: () => void) => unknown;
  readonly test: ((name: string, run: () => Promise<void>) => unknown) & {
    readonly skip: (name: string, run: () => Promise<void>) => unknown;
  };
  // biome-ignore lint/suspicious/noExplicitAny: every runner has its own type of matchers
  readonly expect: (actual: unknown) => any;
}
