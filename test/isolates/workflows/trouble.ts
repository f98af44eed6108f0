/** What may go wrong, or is meant to. */
import { task } from "redun";

export const fine = task("trouble.fine", (n: number) => n + 1);

export const spin = task("trouble.spin", () => {
  for (;;);
});

export const stubborn = task("trouble.stubborn", () => {
  for (;;) {
    try {
      while (true);
    } catch {}
  }
});

export const recursion = task("trouble.recursion", () => {
  const fib = (n: number): number => (n < 2 ? n : fib(n - 1) + fib(n - 2));
  return fib(80);
});

export const microtasks = task("trouble.microtasks", async () => {
  for (;;) await null;
});

export const patient = task("trouble.patient", async () => {
  let sum = 0;
  for (let i = 0; i < 20; i++) {
    for (const end = Date.now() + 20; Date.now() < end; ) sum++;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return sum > 0;
});

export const forever = task("trouble.forever", () => new Promise(() => {}));

export const exit = task("trouble.exit", () => process.exit(3));

export const abort = task("trouble.abort", async () => {
  // @ts-expect-error: the types of Workers are not here
  const { abortIsolate } = await import("cloudflare:workers");
  abortIsolate("enough");
});

export const large = task("trouble.large", (n: number) => "ab\u00e9\u4e00".repeat(n / 4));

export const sized = task("trouble.sized", (text: string) => text.length);

export const slow = task("trouble.slow", async (ms: number) => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return ms;
});

/** What of its surroundings code can see. */
export const look = task("trouble.look", async () => {
  // @ts-expect-error: the types of Workers are not here
  const workers = await import("cloudflare:workers");
  const attempt = async (work: () => unknown) => {
    try {
      return await work();
    } catch (error) {
      return `${(error as Error).name}`;
    }
  };
  return {
    env: Object.keys(workers.env),
    environment: Object.keys(process.env),
    // biome-ignore lint/security/noGlobalEval: it must not work
    eval: await attempt(() => globalThis.eval("1 + 1")),
    function: await attempt(() => new Function("return 1")()),
    data: await attempt(() => import(`data:text/javascript,${"export{}"}`)),
    loader: typeof (globalThis as { LOADER?: unknown }).LOADER,
    caches: await attempt(async () => typeof (await caches.open("other"))),
  };
});

export const remember = task("trouble.remember", (key: string) => {
  const scope = globalThis as unknown as Record<string, number>;
  scope[key] = (scope[key] ?? 0) + 1;
  return scope[key];
});

export const request = task("trouble.request", async (url: string) => {
  const response = await fetch(url);
  return [response.status, await response.text()];
});
