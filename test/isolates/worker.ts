/** The Worker that tests of isolates run in. */
export { IsolateOutbound } from "../../src/executors/isolate-outbound.ts";

export default {};
