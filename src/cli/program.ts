import { Command, CommanderError, Option } from "commander";
import type { Cli, GlobalOptions } from "./cli.ts";
import { collect } from "./cli.ts";
import { ArgumentError, EXIT, suggestion, UsageError } from "./client-error.ts";
import { LEVELS, type Level, type Output } from "./output.ts";
import { Exit } from "./report.ts";
import { addRunOptions, addServerOptions } from "./run-options.ts";
import { checkVersion, version } from "./version.ts";

type Handler = (cli: Cli, words: string[], options: Record<string, unknown>) => Promise<void>;

/** Parses the command line and carries it out. @throws whatever ends the command early */
export async function runProgram(argv: readonly string[], output: Output): Promise<void> {
  const program = makeProgram(argv, output);
  try {
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // The parser has told what is wrong.
    const asked = /^commander\.(help|helpDisplayed|version)$/.test(error.code) && error.exitCode === 0;
    throw new Exit(asked ? EXIT.done : EXIT.usage);
  }
}

function makeProgram(argv: readonly string[], output: Output): Command {
  const program = new Command("redun")
    .description("Run workflows whose results are cached and recorded.")
    .usage("[options] COMMAND ...")
    .addHelpText("beforeAll", `redun :: version ${version()}\n`)
    .option(
      "-c, --config <dir>",
      "folder of the configuration (default: $REDUN_CONFIG, or the nearest .redun)",
    )
    .option("-r, --repo <name>", "repository to use, by its name in redun.ini (default: default)")
    .option("--server <url>", "server to work on (default: $REDUN_SERVER)")
    .option("--server-repo <name>", "repository of the server (default: default)")
    .version(version(), "-V, --version", "show the version")
    .option("--check-version <spec>", "fail unless this version satisfies a specification such as >=0.1,<2")
    .addOption(new Option("--log-level <level>", "least level of log lines").default("INFO").choices(LEVELS))
    .option("-s, --setup <k=v>", "argument of the setup_scheduler function (repeatable)", collect, [])
    .option("--setup-help", "show the arguments of the setup_scheduler function")
    .enablePositionalOptions()
    .helpCommand(false)
    .showSuggestionAfterError()
    .configureHelp({
      subcommandTerm: (command) => [command.name(), argumentsOf(command)].filter(Boolean).join(" "),
    })
    .configureOutput({
      writeOut: (text) => output.write(text),
      writeErr: (text) => output.log(text.trimEnd(), "ERROR"),
    })
    .exitOverride()
    .hook("preAction", (command) => {
      const { logLevel, checkVersion: wanted } = command.opts<GlobalOptions>();
      output.level = logLevel as Level;
      if (wanted !== undefined) checkVersion(wanted);
    });
  const add = (
    parent: Command,
    usage: string,
    description: string,
    load: () => Promise<Handler>,
  ): Command => {
    const [name, ...rest] = usage.split(" ");
    const command = parent.command(name!).description(description);
    if (rest.length > 0) command.usage(`[options] ${rest.join(" ")}`);
    return command
      .argument("[words...]")
      .action(async (words: string[], options: Record<string, unknown>) => {
        const globals = program.opts<GlobalOptions>();
        const extra = words[mostWords(rest)];
        if (extra === "help") return command.outputHelp();
        if (extra !== undefined) throw unexpected(command, extra);
        if (globals.server !== undefined && !command.options.some(({ long }) => long === "--server"))
          throw new UsageError(`Cannot use --server with ${name}: it does not work on a server`);
        const cli: Cli = { output, argv: ["redun", ...argv], globals };
        const handler = await load();
        await handler(cli, words, options);
      });
  };

  program
    .argument("[words...]")
    .allowUnknownOption()
    .action(async (words: string[]) => {
      const { setupHelp } = program.opts<GlobalOptions>();
      const [word] = words;
      if (word?.startsWith("-"))
        throw new ArgumentError(`unknown option '${word}'`, { hint: "See: redun --help" });
      if (word !== undefined) {
        const names = program.commands.map((command) => command.name());
        throw new UsageError(`Unknown command: ${word}`, { hint: suggestion(word, names, "Commands") });
      }
      if (setupHelp) {
        const { setupHelp: show } = await import("./setup.ts");
        return show({ output, argv: ["redun", ...argv], globals: program.opts<GlobalOptions>() });
      }
      program.outputHelp();
    });
  add(program, "help [COMMAND...]", "show what a command does", async () => (_cli, words) => {
    let command: Command = program;
    for (const word of words) {
      const found = command.commands.find((candidate) => candidate.name() === word);
      if (found === undefined) {
        const names = command.commands.map((candidate) => candidate.name());
        throw new UsageError(`Unknown command: ${words.join(" ")}`, {
          hint: suggestion(word, names, "Commands"),
        });
      }
      command = found;
    }
    command.outputHelp();
    return Promise.resolve();
  });
  add(
    program,
    "init [DIR]",
    "make a repository",
    async () => (await import("./commands/init.ts")).init,
  ).option("-c, --config <dir>", "folder of the configuration to make");
  addRunOptions(
    add(
      program,
      "run SCRIPT TASK [--arg VALUE]...",
      "run a task of a workflow file",
      async () => (await import("./commands/run.ts")).run,
    ),
  )
    .passThroughOptions()
    .addHelpText(
      "after",
      `
SCRIPT is a .ts, .js or .mjs file. A parameter maxDepth of the task is the option --max-depth.

  redun run SCRIPT help            list the workflow's tasks
  redun run SCRIPT TASK help       show the task's arguments
  redun run SCRIPT TASK info       show the task's hash and source`,
    );
  addServerOptions(
    add(
      program,
      "launch CMD...",
      "run a shell command on an executor, and leave it to itself",
      async () => (await import("./commands/launch.ts")).launch,
    )
      .option("--executor <name>", "executor to run it on (on a server: default)")
      .option("-o, --option <k=v>", "option of the command's task, such as memory=4 (repeatable)", collect)
      .option("--code-package", "send the workflow's code along, where the executor takes it")
      .option("--wait", "wait for the end, and show what the command prints")
      .passThroughOptions(),
  );
  const log = add(
    program,
    "log [ID...]",
    "look into what has run",
    async () => (await import("./commands/log.ts")).log,
  );
  addLogOptions(addServerOptions(log));
  add(
    program,
    "oneshot SCRIPT TASK [--arg VALUE]...",
    "run one task without a scheduler",
    async () => (await import("./commands/oneshot.ts")).oneshot,
  )
    .option("--no-cache", "run even if there is an output")
    .option("-c, --code <file>", "code package to load instead of building SCRIPT")
    .option("-i, --input <file>", "file with the arguments")
    .option("-o, --output <file>", "file for the result")
    .option("-e, --error <file>", "file for the error")
    .option("--array-job", "run one item of an array of jobs")
    .option("--array-rank-env <name>", "environment variable that holds the item's index")
    .option("-p, --import-path <dir>", "folder to find workflows in (repeatable)", collect)
    .passThroughOptions();
  addTagCommands(program, add);
  addDbCommands(program, add);
  const exporting = add(
    program,
    "export [ID...]",
    "write records as JSON lines",
    async () => (await import("./commands/export.ts")).exportRecords,
  ).option("-f, --file <file>", "file to write, - for stdout", "-");
  const importing = add(
    program,
    "import",
    "read records from JSON lines",
    async () => (await import("./commands/import.ts")).importRecords,
  ).option("-f, --file <file>", "file to read, - for stdin", "-");
  for (const command of [exporting, importing]) addServerOptions(command);
  addHostedCommands(program, add);
  addServerCommands(program, add);
  const fs = group(
    program,
    "fs",
    "work with files of any file system",
    async () => (await import("./commands/fs.ts")).listFileSystems,
    add,
  );
  addServerOptions(
    add(
      fs,
      "cp SRC DEST",
      "copy a file or folder; - is stdin or stdout; with --server, SRC is a file there",
      async () => (await import("./commands/fs.ts")).copy,
    ).option("--recursive", "copy a folder with all that is in it"),
  );
  const repl = add(
    program,
    "repl [ID]",
    "look into records interactively",
    async () => (await import("./commands/repl.ts")).repl,
  );
  addServerOptions(repl);
  return program;
}

/** How many words a command takes, after what its usage says. */
function mostWords(usage: readonly string[]): number {
  return usage.some((word) => word.includes("...")) ? Number.POSITIVE_INFINITY : usage.length;
}

function unexpected(command: Command, word: string): UsageError {
  const names = command.commands.map((child) => child.name());
  if (names.length > 0)
    return new UsageError(`Unknown command: ${command.name()} ${word}`, {
      hint: suggestion(word, names, "Commands"),
    });
  return new UsageError(`Unexpected argument: ${word}`, { hint: `See: redun help ${pathOf(command)}` });
}

/** The words that call a command, without the program's. */
function pathOf(command: Command): string {
  const { parent } = command;
  return parent?.parent ? `${pathOf(parent)} ${command.name()}` : command.name();
}

/** What stands after a command's name in the list of commands. */
function argumentsOf(command: Command): string {
  if (command.commands.length > 0) return "COMMAND";
  return command
    .usage()
    .replace(/^\[options\] ?/, "")
    .replace("[words...]", "")
    .trim();
}

type Add = (parent: Command, usage: string, description: string, load: () => Promise<Handler>) => Command;

/** A command of commands that does something by itself too. */
function group(
  parent: Command,
  name: string,
  description: string,
  load: () => Promise<Handler>,
  add: Add,
): Command {
  const command = add(parent, name, description, load);
  return command.usage("[options] [COMMAND] ...");
}

function addServerCommands(program: Command, add: Add): void {
  const server = group(
    program,
    "server",
    "serve the repository, with its web app, to others",
    async () => (await import("./commands/server.ts")).server,
    add,
  )
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--port <number>", "port to listen on", "8787")
    .option(
      "--public-url <url>",
      "address at which others find the server, behind a proxy (default: its own)",
    )
    .option("--workers <number>", "most functions that compute at once (default: the machine's processors)")
    .option("--cors-origin <origin>", "another site whose pages may use the API (repeatable)", collect);
  add(
    server,
    "token",
    "make a token for the server",
    async () => (await import("./commands/server.ts")).serverToken,
  )
    .option("--name <name>", "whose it is", "admin")
    .option("--role <role>", "viewer, runner or admin", "admin")
    .option("--repo <name>", "repository that it is for (repeatable; default: all)", collect)
    .option("--days <number>", "how long it is valid");
}

function addTagCommands(program: Command, add: Add): void {
  const tag = program.command("tag").description("list and edit tags");
  const list = add(
    tag,
    "list [KEY[=VALUE]]",
    "show tags, or what has a tag",
    async () => (await import("./commands/tag.ts")).listTags,
  )
    .option("--values", "show the values too")
    .option("--no-pager", "write straight to the terminal");
  addServerOptions(list);
  for (const verb of ["add", "update", "rm"] as const) {
    const does = { add: "add tags", update: "replace the tags of the same keys", rm: "remove tags" }[verb];
    const editing = add(tag, `${verb} ID... KEY=VALUE...`, does, async () => {
      const { editTags } = await import("./commands/tag.ts");
      return (cli, words, options) => editTags(cli, verb, words, options);
    });
    addServerOptions(editing);
  }
}

function addDbCommands(program: Command, add: Add): void {
  const db = program.command("db").description("manage the database");
  const commands = [
    add(db, "info", "show the database's version", async () => (await import("./commands/db.ts")).info),
    add(
      db,
      "upgrade [VERSION]",
      "bring the database to a later version",
      async () => (await import("./commands/db.ts")).upgrade,
    ),
    add(
      db,
      "downgrade VERSION",
      "bring the database to an earlier version",
      async () => (await import("./commands/db.ts")).downgrade,
    ),
  ];
  for (const command of commands) addServerOptions(command);
  add(db, "versions", "list the versions", async () => (await import("./commands/db.ts")).versions);
}

/** Commands for repositories elsewhere. */
function addHostedCommands(program: Command, add: Add): void {
  add(
    program,
    "login URL",
    "keep a token for a server",
    async () => (await import("./commands/login.ts")).login,
  ).option("--token <token>", "the token (default: read from stdin, or asked for)");
  add(
    program,
    "logout URL",
    "forget the token for a server",
    async () => (await import("./commands/login.ts")).logout,
  );
  const repo = program.command("repo").description("name repositories elsewhere");
  add(
    repo,
    "add NAME DIR|URL",
    "give the repository of a folder or a server (URL#REPO) a name",
    async () => (await import("./commands/repo.ts")).addRepo,
  );
  add(repo, "list", "list the names", async () => (await import("./commands/repo.ts")).listRepos);
  add(repo, "rm NAME", "remove a name", async () => (await import("./commands/repo.ts")).removeRepo).alias(
    "remove",
  );
  add(
    repo,
    "delete URL#REPO",
    "delete a repository of a server, with all that is in it",
    async () => (await import("./commands/repo.ts")).deleteRepo,
  ).option("--force", "cancel executions that have not ended");
  for (const [verb, other, file] of [
    ["push", "to", "write"],
    ["pull", "from", "read"],
  ] as const) {
    const command = add(
      program,
      `${verb} [REPO] [ID...]`,
      `copy records ${other} another repository that ${verb === "push" ? "it" : "this one"} lacks`,
      async () => (await import("./commands/sync.ts"))[verb],
    ).option(`--${other} <repo>`, `name of a repository, address of a server, or file to ${file}`);
    addServerOptions(command);
  }
  const attach = add(
    program,
    "attach ID",
    "follow an execution on a server",
    async () => (await import("./commands/attach.ts")).attach,
  ).addOption(new Option("--format <format>", "form of the result").choices(["text", "json"]));
  const cancel = add(
    program,
    "cancel ID...",
    "cancel executions on a server",
    async () => (await import("./commands/attach.ts")).cancel,
  );
  for (const command of [attach, cancel]) addServerOptions(command);
}

function addLogOptions(log: Command): void {
  const list = (flags: string, description: string): void => {
    log.option(flags, description, collect);
  };
  log
    .option("--all", "all records")
    .option("--exec", "executions")
    .option("--job", "jobs")
    .option("--call-node", "call nodes")
    .option("--task", "tasks")
    .option("--value", "values")
    .option("--file", "files");
  list("--exec-status <status>", "executions of a status, such as FAILED");
  list("--job-status <status>", "jobs of a status, such as CACHED");
  list("--task-name <name>", "jobs and tasks by name");
  list("--task-hash <hash>", "jobs and tasks by hash");
  list("--value-type <type>", "values of a type");
  list("--file-path <pattern>", "files by path, * matching anything");
  list("--exec-id <ids>", "records of executions, by id, - or ~N");
  list("--result <value>", "jobs whose result is or contains a value");
  list("--arg <value>", "jobs with an argument that is or contains a value");
  list("-t, --tag <tag>", "records with a tag KEY or KEY=VALUE");
  list("--exec-tag <tag>", "records of executions with a tag");
  log
    .option("--count", "only count")
    .addOption(
      new Option("--format <format>", "form of the output").choices(["text", "json"]).default("text"),
    )
    .option("--detail", "show each record's detail")
    .option("--no-pager", "write straight to the terminal")
    .allowUnknownOption()
    .hook("preAction", (_, command) => {
      const unknown = command.args.find((word) => /^-./.test(word) && !/^-\d*$/.test(word));
      if (unknown !== undefined) throw new UsageError(`Unknown filter: ${unknown}`);
    });
}
