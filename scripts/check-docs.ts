/** Compiles the TypeScript examples in doc comments, README and docs, against the built package. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = new URL("..", import.meta.url).pathname;
process.chdir(root);
// Inside the project, so that `redun` resolves to the project itself.
const folder = "test/.examples";

/** An example with the line of its source on which it starts. */
interface Example {
  readonly file: string;
  readonly line: number;
  readonly code: string;
}

function examplesIn(file: string): Example[] {
  const source = readFileSync(file, "utf8");
  const isComment = file.endsWith(".ts");
  return [...source.matchAll(/^([ \t]*\*?[ \t]*)```ts\n([\s\S]*?)^[ \t]*\*?[ \t]*```/gm)].map((match) => ({
    file,
    line: source.slice(0, match.index).split("\n").length,
    code: isComment ? match[2]!.replace(/^[ \t]*\* ?/gm, "") : match[2]!,
  }));
}

const sources = [
  ...["src", "docs", "examples"]
    .filter(existsSync)
    .flatMap((base) =>
      readdirSync(base, { recursive: true, encoding: "utf8" }).map((name) => join(base, name)),
    ),
  ...["README.md"].filter(existsSync),
].filter((file) => (file.startsWith("src/") ? file.endsWith(".ts") : file.endsWith(".md")));
const examples = sources.flatMap(examplesIn);

mkdirSync(folder, { recursive: true });
try {
  for (const [i, { code, file, line }] of examples.entries()) {
    writeFileSync(join(folder, `example-${i}.ts`), `// ${file}:${line}\n${code}\nexport {};\n`);
  }
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: "../../tsconfig.base.json",
      compilerOptions: {
        noEmit: true,
        isolatedDeclarations: false,
        declaration: false,
        types: ["node"],
        lib: ["ESNext", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
      },
      include: ["*.ts"],
    }),
  );
  const { status, stdout } = spawnSync("npx", ["--no-install", "tsc", "-p", folder], { encoding: "utf8" });
  const named = stdout.replace(/test\/\.examples\/example-(\d+)\.ts/g, (_, i: string) => {
    const { file, line } = examples[Number(i)]!;
    return `example at ${file}:${line}`;
  });
  process.stdout.write(named);
  console.log(`Documentation: ${examples.length} examples compiled`);
  process.exitCode = examples.length === 0 ? 1 : (status ?? 1);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
