import { buildModules } from "../scripts/build.ts";

/** Tests of the command and of worker threads run what is built. */
export default buildModules;
