/** The Worker that tests of a hosted instance run in: the one that is deployed. */
import { createWorker, type HostedWorker } from "../../src/cloudflare.ts";

export { IsolateOutbound, RepoObject } from "../../src/cloudflare.ts";

const worker: HostedWorker = createWorker({ version: "test" });
export default worker;
