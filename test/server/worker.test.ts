import { startWorker } from "../cloudflare/start-worker.ts";
import { describeApi } from "./api-suite.ts";

describeApi("a Worker", startWorker);
