import {
  type InstanceSettings,
  listOf,
  readInstanceSettings,
  type SettingsSource,
} from "../../server/settings.ts";
import { RedunClientError, suggestion } from "../client-error.ts";
import type { Config } from "../config.ts";

/** What `[server]` of `redun.ini` says. What is left out has its default where it is used. */
export interface ServerSettings extends InstanceSettings {
  /** Hosts without a public address from which the server itself may fetch files; `true` is all. */
  readonly privateHosts: true | readonly string[];
}

const SECTION = "server";

/** Reads `[server]`. Its keys are those of the Worker's variables, in lower case and without `REDUN_`. */
export function readServerSettings(config: Config): ServerSettings {
  const known = new Set<string>();
  const source: SettingsSource = {
    get(name) {
      known.add(name);
      return config.get(SECTION, name);
    },
    nameOf: (name) => `${name} in [${SECTION}] of redun.ini`,
  };
  const hosts = listOf(source, "private_hosts");
  const settings = { ...readInstanceSettings(source), privateHosts: hosts.includes("all") || hosts };
  const unknown = Object.keys(config.section(SECTION)).find((key) => !known.has(key));
  if (unknown === undefined) return settings;
  throw new RedunClientError(`Cannot read the configuration: [${SECTION}] has no key ${unknown}`, {
    hint: suggestion(unknown, [...known], "Known keys"),
  });
}
