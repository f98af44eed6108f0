/** Builds what the deployed Worker is made of besides its own modules: the web app, and the runtime of isolates. */
import { writeIsolateRuntime } from "./build-isolate.ts";
import { buildWeb } from "./build-web.ts";

await Promise.all([writeIsolateRuntime(), buildWeb()]);
