/**
 * Registers all of the engine's own value types, so that commands that only read a store can decode them.
 *
 * @module
 */
import "../expression/expression.ts";
import "../file/dir.ts";
import "../file/file.ts";
import "../file/file-set.ts";
import "../scheduler/traceback.ts";
import "../task/task.ts";
