import { bindingOf, foldObject, foldString, resolve } from "./fold.ts";
import { type Binding, isLocal, type Program, usesWithin } from "./program.ts";
import { contains, isFunction, type SyntaxNode } from "./syntax.ts";

type Call = Program["calls"][number];

/** A call that defines a task. */
export interface Definition {
  readonly call: Call;
  /** The argument that is the task's function: a function, its name, or an expression that gives one. */
  readonly argument: SyntaxNode;
  /** The function itself, if the argument leads to one. */
  readonly target?: SyntaxNode;
  /** Set if the function's own name names the task. */
  readonly namedByFunction: boolean;
  /** Missing if the task's name or scope is known only when the code runs. */
  readonly identity?: TaskIdentity;
}

export interface TaskIdentity {
  readonly fullname: string;
  readonly namespace: string;
  readonly name: string;
  readonly version?: string;
  readonly script: boolean;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/;

/** Finds every call that defines a task. `originalName` undoes esbuild's renaming at an offset. */
export function findDefinitions(program: Program, originalName: (offset: number) => string): Definition[] {
  const definitions: Definition[] = [];
  for (const call of program.calls) {
    const definer = definerOf(program, call);
    if (!definer) continue;
    const definition = readDefinition(program, call, definer.namespace, originalName);
    if (definition) definitions.push(definition);
  }
  return definitions;
}

/** The name of the export of `redun` that an expression names. */
export function redunExport(program: Program, node: SyntaxNode): string | undefined {
  const fromRedun = (binding: Binding | undefined): string | undefined =>
    binding?.import && /^redun(\/|$)/.test(binding.import.source) ? binding.import.name : undefined;
  if (node.type === "Identifier") {
    const name = fromRedun(bindingOf(program, node));
    return name === "*" ? undefined : name;
  }
  if (node.type !== "MemberExpression" || node.computed || node.property.type !== "Identifier")
    return undefined;
  return fromRedun(bindingOf(program, node.object)) === "*" ? node.property.name : undefined;
}

interface Definer {
  /** `null`: known only at run time. */
  readonly namespace: string | null;
}

function definerOf(program: Program, call: Call): Definer | undefined {
  const { callee } = call;
  const exported = redunExport(program, callee);
  if (exported !== undefined) return exported === "task" ? { namespace: "" } : undefined;
  if (callee.type !== "MemberExpression" || callee.computed || callee.property.type !== "Identifier") {
    return undefined;
  }
  if (callee.property.name !== "task" || callee.object.type === "Super") return undefined;
  const object = resolve(program, callee.object);
  if (object.type !== "CallExpression" || redunExport(program, object.callee) !== "namespace")
    return undefined;
  const [name] = object.arguments;
  return { namespace: name ? (foldString(program, name) ?? null) : "" };
}

function readDefinition(
  program: Program,
  call: Call,
  outerNamespace: string | null,
  originalName: (offset: number) => string,
): Definition | undefined {
  const [first, second] = call.arguments;
  if (!first || first.type === "SpreadElement" || second?.type === "SpreadElement") return undefined;
  const argument = second ?? first;
  const target = resolve(program, argument);
  const functionName = (): string | undefined => {
    if (argument.type === "FunctionExpression")
      return argument.id ? originalName(argument.id.start) : undefined;
    const binding = bindingOf(program, argument);
    return binding && isFunction(target) ? originalName(binding.start) : undefined;
  };

  let name: string | undefined;
  let namespace: string | undefined = outerNamespace ?? undefined;
  let version: string | undefined;
  let script = false;
  let namedByFunction = !second;
  if (second) {
    const options = foldObject(program, first);
    if (options) {
      const option = (key: string): { text?: string | undefined } | undefined => {
        const value = options.properties.get(key);
        if (value) return { text: foldString(program, value) };
        return options.open ? {} : undefined;
      };
      const given = option("name");
      namedByFunction = !given;
      name = given ? given.text : functionName();
      const place = option("namespace");
      if (place) namespace = place.text;
      version = option("version")?.text;
      const flag = options.properties.get("script");
      script = flag?.type === "Literal" && flag.value === true;
    } else name = foldString(program, first);
  } else {
    if (!isFunction(target)) return undefined;
    name = functionName();
  }

  const fullname = namespace ? `${namespace}.${name}` : name;
  const known =
    name !== undefined &&
    namespace !== undefined &&
    NAME.test(fullname!) &&
    !capturesLocals(program, argument);
  const dot = known ? fullname!.lastIndexOf(".") : -1;
  return {
    call,
    argument,
    namedByFunction,
    ...(isFunction(target) ? { target } : {}),
    ...(known
      ? {
          identity: {
            fullname: fullname!,
            namespace: fullname!.slice(0, Math.max(dot, 0)),
            name: fullname!.slice(dot + 1),
            script,
            ...(version === undefined ? {} : { version }),
          },
        }
      : {}),
  };
}

/**
 * Whether an expression uses variables of a function around it. What such a task computes depends on how
 * that function was called, so its text alone doesn't tell what it is.
 */
function capturesLocals(program: Program, node: SyntaxNode): boolean {
  for (const { variable } of usesWithin(program, node)) {
    if (!isLocal(variable)) continue;
    const declared = (variable.identifiers as unknown as SyntaxNode[])[0]!;
    if (!contains(node, declared)) return true;
  }
  return false;
}
