/**
 * Registers all of the engine's own tasks and value types. A scheduler that loads no workflow would otherwise lack those
 * that no module of its own happens to import.
 *
 * @module
 */
import "../builtins/control.ts";
import "../builtins/functional.ts";
import "../builtins/scheduler-task.ts";
import "../builtins/script.ts";
import "../expression/operators.ts";
import "../file/dir.ts";
import "../file/file-set.ts";
import "../file/file.ts";
