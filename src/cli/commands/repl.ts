import { start } from "node:repl";
import { decodeValue } from "../../value/value.ts";
import type { Cli } from "../cli.ts";
import { findRecord, findRecords } from "../find-record.ts";
import { showRecord } from "../log-detail.ts";
import { type LogOptions, logQuery } from "../log-query.ts";
import { recordLines } from "../record-lines.ts";
import { openRecords, type ServerOptions } from "../remote/target.ts";

const HELP = `backend          the store
id(word)         the record that a word names, such as - or a prefix
show(word)       prints a record's detail
value(word)      a recorded value
query(options)   prints records, such as query({ job: true, jobStatus: ["FAILED"] })
.exit            leaves
`;

/** `redun repl [ID]` */
export async function repl(cli: Cli, words: string[], options: ServerOptions): Promise<void> {
  const { output } = cli;
  const backend = await openRecords(cli, options, { migrate: false });
  try {
    const [word] = words;
    const record = word === undefined ? undefined : await findRecord(backend, word);
    if (record !== undefined) await showRecord(backend, output, record);
    output.write(`Type help for what there is to use.\n`);
    const server = start({
      prompt: "redun> ",
      useGlobal: false,
      breakEvalOnSigint: process.stdin.isTTY === true,
    });
    Object.defineProperty(server.context, "help", { get: () => output.write(HELP) });
    Object.assign(server.context, {
      backend,
      record,
      id: (text: string) => findRecords(backend, text),
      show: async (text: string) => showRecord(backend, output, await findRecord(backend, text)),
      async value(text: string) {
        const { id } = await findRecord(backend, text, ["Value"]);
        const [found] = await backend.getValues([id]);
        return decodeValue(found!.text);
      },
      async query(options: Partial<LogOptions> = {}) {
        const { types, filters } = await logQuery(backend, { format: "text", pager: false, ...options });
        for (const type of types) {
          const found = await backend.find({ limit: 100, ...filters, type });
          output.print((await recordLines(backend, found)).join("\n"));
        }
      },
    });
    await new Promise<void>((resolve) => server.once("exit", () => resolve()));
  } finally {
    await backend.close();
  }
}
