/** What may go wrong, or is meant to. */
import { task } from "redun";

const fine = task("trouble.fine", (n: number) => n + 1);

task("trouble.meet", async () => await fine(1));

task("trouble.spin", () => {
  for (;;);
});

task({ name: "trouble.hurried", timeout: 0.2 }, () => {
  for (;;);
});

task("trouble.stubborn", () => {
  for (;;) {
    try {
      while (true);
    } catch {}
  }
});

task("trouble.recursion", () => {
  const fib = (n: number): number => (n < 2 ? n : fib(n - 1) + fib(n - 2));
  return fib(80);
});

task("trouble.microtasks", async () => {
  for (;;) await null;
});

task("trouble.patient", async () => {
  let sum = 0;
  for (let i = 0; i < 12; i++) {
    for (const end = Date.now() + 20; Date.now() < end; ) sum++;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return sum > 0;
});

task({ name: "trouble.patience", timeout: 0.1 }, () => new Promise((resolve) => setTimeout(resolve, 60_000)));

task("trouble.exit", () => process.exit(3));

task("trouble.abort", async () => {
  const { abortIsolate } = await import("cloudflare:workers" as string);
  abortIsolate("enough");
});

task("trouble.large", (n: number) => "ab\u00e9\u4e00".repeat(n / 4));

task("trouble.sized", (text: string) => text.length);

task("trouble.slow", async (ms: number) => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return ms;
});

/** What of its surroundings code can see. */
task("trouble.look", async () => {
  const workers = await import("cloudflare:workers" as string);
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
    caches: typeof (globalThis as { caches?: unknown }).caches,
  };
});

task("trouble.remember", (key: string) => {
  const scope = globalThis as unknown as Record<string, number>;
  scope[key] = (scope[key] ?? 0) + 1;
  return scope[key];
});

task("trouble.request", async (url: string) => {
  const response = await fetch(url);
  return [response.status, await response.text()];
});
