import type { Cli } from "../cli.ts";
export async function oneshot(_cli: Cli, _words: string[], _given: Record<string, unknown>): Promise<void> {}
