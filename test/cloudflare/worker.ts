/** The Worker that tests run in. Its objects have storage and nothing else. */
import { DurableObject } from "cloudflare:workers";

export class TestObject extends DurableObject {}

/** One that has no SQLite. */
export class PlainObject extends DurableObject {}

export default {};
