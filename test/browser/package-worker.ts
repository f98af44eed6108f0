/** Builds, loads and runs a workflow in a dedicated worker. */
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import * as redun from "../../src/index.ts";
import { buildPackage, loadWebPackage, provideEngine, webEsbuild } from "../../src/package.ts";

/** What came of it. Times are in milliseconds. */
export interface WorkerBuild {
  readonly hash: string;
  readonly value: unknown;
  readonly times: {
    readonly start: number;
    readonly first: number;
    readonly next: number;
    readonly load: number;
  };
}

interface Request {
  readonly wasm: string;
  readonly source: string;
  readonly worker: boolean;
}

globalThis.onmessage = async ({ data }: MessageEvent<Request>) => {
  provideEngine({ redun });
  const times: number[] = [];
  const timed = async <T>(step: Promise<T>): Promise<T> => {
    const before = performance.now();
    const value = await step;
    times.push(Math.round(performance.now() - before));
    return value;
  };
  const esbuild = await timed(webEsbuild(data.wasm, { worker: data.worker }));
  const build = (source: string): ReturnType<typeof buildPackage> =>
    buildPackage("workflow.ts", {
      files: { "workflow.ts": source },
      esbuild,
      lowerAsync: true,
      npm: "inline",
    });
  const pkg = await timed(build(data.source));
  await timed(build(`${data.source}\nexport const other = 1;`));
  const { exports } = await timed(loadWebPackage(pkg));
  const main = exports.main as redun.Task<[], number>;
  const value = await new redun.Scheduler({ backend: new MemoryBackend() }).run(main());
  const [start = 0, first = 0, next = 0, load = 0] = times;
  const answer: WorkerBuild = { hash: pkg.hash, value, times: { start, first, next, load } };
  postMessage(answer);
};
