import { parse } from "acorn";
import type { GuardNames } from "./guard-names.ts";
import type { Edit } from "./source-map.ts";
import { isFunction, type SyntaxNode, walk } from "./syntax.ts";

/** The edits that call the guard in every loop and at the start of every function. */
export function guardEdits(code: string, { tick, open, close }: GuardNames): Edit[] {
  const edits: Edit[] = [];
  const insert = (at: number, text: string): void => {
    edits.push({ start: at, end: at, text: `${open}${text}${close}` });
  };
  const guard = (body: SyntaxNode): void => {
    if (body.type === "BlockStatement") insert(body.start + 1, `${tick}();`);
    else {
      insert(body.start, `{${tick}();`);
      insert(body.end, "}");
    }
  };
  walk(parse(code, { ecmaVersion: "latest", sourceType: "module" }), (node) => {
    if (isLoop(node)) guard(node.body);
    else if (isFunction(node)) {
      if (node.body.type === "BlockStatement") guard(node.body);
      else {
        insert(node.body.start, `(${tick}(),`);
        insert(node.body.end, ")");
      }
    }
    return undefined;
  });
  // Parents were seen first; what ends at one place ends innermost first.
  return edits.reverse();
}

function isLoop(
  node: SyntaxNode,
): node is Extract<
  SyntaxNode,
  { type: "ForStatement" | "ForInStatement" | "ForOfStatement" | "WhileStatement" | "DoWhileStatement" }
> {
  return (
    node.type === "ForStatement" ||
    node.type === "ForInStatement" ||
    node.type === "ForOfStatement" ||
    node.type === "WhileStatement" ||
    node.type === "DoWhileStatement"
  );
}
