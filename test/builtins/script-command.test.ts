import { describe, expect, test } from "vitest";
import { dedent, prepareCommand, START, wrapCommand } from "../../src/builtins/script-command.ts";

const HEAD = "#!/usr/bin/env bash\nset -exo pipefail\n";

describe("the text of a script", () => {
  test("loses the indentation that all its lines share", () => {
    expect(dedent("  a\n    b\n\n  c")).toBe("a\n  b\n\nc");
    expect(dedent("\ta\n\t\tb")).toBe("a\n\tb");
    expect(dedent("a\n  b")).toBe("a\n  b");
  });

  test("gets a shell that stops at the first failing command, unless it names an interpreter", () => {
    expect(prepareCommand("\n    echo 1\n      echo 2\n  ")).toBe(`${HEAD}echo 1\n  echo 2`);
    expect(prepareCommand("\n    #!/usr/bin/env python3\n    print(1)\n")).toBe(
      "#!/usr/bin/env python3\nprint(1)",
    );
  });

  test("is the same when it is prepared twice", () => {
    const once = prepareCommand("  if true; then\n    echo 1\n  fi");
    expect(prepareCommand(once)).toBe(once);
  });

  test("quotes the words of a list one by one", () => {
    expect(prepareCommand(["echo", "a  b", "it's", "$HOME", "", "--x=1"])).toBe(
      `${HEAD}echo 'a  b' 'it'"'"'s' '$HOME' '' --x=1`,
    );
  });
});

describe("the wrapping of a command", () => {
  test("stages in before it and out after it", () => {
    const lines = wrapCommand("sort in > out", ["cp data/in in", ""], ["", "cp out data/out"], false).split(
      "\n",
    );
    const at = (line: string): number => lines.indexOf(line);
    expect(at("cp data/in in")).toBeGreaterThan(0);
    expect(at("sort in > out")).toBeGreaterThan(at("cp data/in in"));
    expect(at("cp out data/out")).toBeGreaterThan(at("sort in > out"));
  });

  test("ends the command with a mark that is none of its lines", () => {
    expect(wrapCommand("cat", [], [], false)).toContain("<<'EOF'\n");
    expect(wrapCommand("cat <<EOF\nx\nEOF", [], [], false)).toContain("<<'EOF1'\n");
    expect(wrapCommand("cat <<EOF\nx\nEOF\ncat <<EOF1\ny\nEOF1", [], [], false)).toContain("<<'EOF2'\n");
    expect(wrapCommand("echo EOF", [], [], false)).toContain("<<'EOF'\n");
  });

  test("keeps quoted the paths that lead back from a temporary folder", () => {
    const wrapped = wrapCommand("true", [`cp ${START}/a b`, `cp '${START}/a b' c`], [], true);
    expect(wrapped).toContain('cp "$REDUN_START"/a b\n');
    expect(wrapped).toContain(`cp "$REDUN_START"'/a b' c\n`);
  });

  test("is the same each time, also in a temporary folder", () => {
    expect(wrapCommand("pwd", [], [], true)).toBe(wrapCommand("pwd", [], [], true));
  });
});
