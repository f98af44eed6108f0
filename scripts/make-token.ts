/**
 * Makes a token of a hosted instance on Cloudflare, and prints it this once; the instance keeps its hash only.
 *
 *     npm run token -- --name NAME [--role admin|runner|viewer] [--repo NAME]… [--days N] [--local|--remote]
 *
 * `--local`, the default, is the instance of `npm run dev`.
 */
import { parseArgs } from "node:util";
import { Directory, ROLES, type Role } from "../src/server/directory.ts";
import { D1Command, type D1Place } from "./d1-command.ts";

/** What the token is for. */
export interface TokenOrder {
  readonly name: string;
  readonly role: Role;
  readonly repos: readonly string[] | null;
  /** When it ends, in milliseconds since the epoch. */
  readonly expires: number | null;
}

/** Makes a token. @returns its text */
export async function makeToken(order: TokenOrder, place: D1Place): Promise<string> {
  const sql = new D1Command(place);
  const directory = new Directory(sql);
  await directory.load();
  const { token } = await directory.createToken(order);
  await sql.flush();
  return token;
}

function readOrder(): TokenOrder & D1Place {
  const { values } = parseArgs({
    options: {
      name: { type: "string" },
      role: { type: "string", default: "admin" },
      repo: { type: "string", multiple: true },
      days: { type: "string" },
      local: { type: "boolean" },
      remote: { type: "boolean", default: false },
      "persist-to": { type: "string" },
      config: { type: "string" },
    },
  });
  const { name, role, repo, days, local, remote, config } = values;
  if (name === undefined || name === "") throw new Error("Cannot make a token: give it a name with --name");
  if (!(ROLES as readonly string[]).includes(role))
    throw new Error(`Cannot make a token: there is no role ${role}, only ${ROLES.join(", ")}`);
  if (local && remote) throw new Error("Cannot make a token: --local and --remote exclude each other");
  const lasting = days === undefined ? undefined : Number(days);
  if (lasting !== undefined && !(lasting > 0))
    throw new Error(`Cannot make a token: --days must be a number above 0, not ${days}`);
  return {
    name,
    role: role as Role,
    repos: repo ?? null,
    expires: lasting === undefined ? null : Date.now() + lasting * 86_400_000,
    remote,
    persistTo: values["persist-to"],
    config,
  };
}

if (import.meta.main) {
  try {
    const order = readOrder();
    console.log(await makeToken(order, order));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
