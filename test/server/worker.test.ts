import { startWorker } from "../cloudflare/start-worker.ts";
import { describeApi, SETTINGS } from "./api-suite.ts";

describeApi("a Worker", () => startWorker({ vars: SETTINGS }));
