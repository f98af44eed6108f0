/** The Worker that tests run in. Its object has a SQLite database and nothing else. */
import { DurableObject } from "cloudflare:workers";

export class TestObject extends DurableObject {}

export default {};
