/** The Worker that is deployed. */

import manifest from "../package.json" with { type: "json" };
import { createWorker, type HostedWorker } from "../src/cloudflare.ts";

export { IsolateOutbound, RepoObject } from "../src/cloudflare.ts";

const worker: HostedWorker = createWorker({ version: manifest.version });
export default worker;
