import type { Literal } from "acorn";
import { type Binding, isLocal, type Program, type Unit, type Use, usesWithin } from "./program.ts";
import { children, contains, isFunction, type SyntaxNode } from "./syntax.ts";

/** Finds the top-level code that may change a value after its declaration. */
export interface EffectIndex {
  /** The units, in order, that run when the module loads and may change what a binding holds. */
  of(binding: Binding): Unit[];
}

/** What a piece of code does with the top-level bindings it mentions. */
interface Mentions {
  readonly all: Set<Binding>;
  /** Assigned to, or an object whose contents are assigned or changed by a method. */
  readonly written: Set<Binding>;
  /** Mentioned in another way than as the function of a call. */
  readonly touched: Set<Binding>;
  /** Given to a function, which may change it. */
  readonly passed: Set<Binding>;
  /** Whether it changes the contents of a parameter. */
  changesParameters: boolean;
}

type Role = "call" | "read" | "pass" | "write";

/** Methods that leave their object as it is, whatever its class. All others are taken to change it. */
const PURE_METHODS: ReadonlySet<string> = new Set(
  (
    "at charAt charCodeAt codePointAt concat endsWith entries every exec filter find findIndex findLast " +
    "findLastIndex flat flatMap forEach get getTime has hasOwnProperty includes indexOf isPrototypeOf join " +
    "keys lastIndexOf localeCompare map match matchAll normalize padEnd padStart reduce reduceRight repeat " +
    "replace replaceAll search slice some split startsWith subarray substring test toFixed toISOString toJSON " +
    "toLowerCase toReversed toSorted toSpliced toString toUpperCase trim trimEnd trimStart valueOf values with"
  ).split(" "),
);

/** Functions of the language that change their first argument. */
const CHANGING_FUNCTIONS =
  /^(Object\.(assign|defineProperty|defineProperties|setPrototypeOf|freeze|seal)|Reflect\.(set|defineProperty|deleteProperty|setPrototypeOf))$/;
/** Helpers of esbuild that change their first argument. */
const CHANGING_HELPERS = /^__(export|reExport|copyProps|publicField|defProp|defNormalProp|decorateElement)$/;

/** Reads which units have effects. Calls that define tasks count as none. */
export function indexEffects(program: Program, taskCalls: readonly SyntaxNode[]): EffectIndex {
  const taskStarts = new Map(taskCalls.map((call) => [call.start, call]));
  const mentions = new Map<Unit, Mentions>();
  const mentionsOf = (unit: Unit): Mentions => {
    const found = mentions.get(unit) ?? readMentions(program, unit, taskCalls);
    mentions.set(unit, found);
    return found;
  };
  let index: Map<Binding, Effects> | undefined;
  return {
    of(binding) {
      if (binding.constant && isPrimitive(binding.init)) return [];
      index ??= collect();
      const found = index.get(binding);
      if (!found) return [];
      const isCode = binding.init && (isFunction(binding.init) || binding.init.type === "ClassDeclaration");
      const units = isCode ? [...found.changing] : [...new Set([...found.mentioning, ...found.changing])];
      return units
        .filter((unit) => !binding.units.includes(unit))
        .sort((first, second) => first.start - second.start);
    },
  };

  function collect(): Map<Binding, Effects> {
    const effects = new Map<Binding, Effects>();
    const of = (binding: Binding): Effects => {
      const found = effects.get(binding) ?? { mentioning: new Set(), changing: new Set() };
      effects.set(binding, found);
      return found;
    };
    for (const unit of program.units) {
      if (program.runtimeUnits.has(unit) || !hasEffect(unit, taskStarts)) continue;
      const own = mentionsOf(unit);
      if (unit.kind === "statement") for (const binding of own.touched) of(binding).mentioning.add(unit);
      const { written, passed, changesParameters } = reachOf(own, mentionsOf);
      for (const binding of written) of(binding).changing.add(unit);
      if (changesParameters) for (const binding of passed) of(binding).changing.add(unit);
    }
    return effects;
  }
}

/** The units with effects that concern one binding. */
interface Effects {
  /** Statements that mention it themselves, and may change it in a way that can't be told. */
  readonly mentioning: Set<Unit>;
  /** Those that change it, or lead to code that does. */
  readonly changing: Set<Unit>;
}

function isPrimitive(init: SyntaxNode | undefined): boolean {
  if (!init) return false;
  if (init.type === "UnaryExpression") return isPrimitive(init.argument);
  if (init.type === "TemplateLiteral") return true;
  return init.type === "Literal" && !(init as Literal).regex;
}

/** Whether running a unit, as opposed to calling the functions it defines, may do more than give a value. */
function hasEffect(unit: Unit, taskStarts: ReadonlyMap<number, SyntaxNode>): boolean {
  if (unit.kind === "function") return false;
  const stack: SyntaxNode[] = [unit.node];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (isFunction(node) || node === taskStarts.get(node.start)) continue;
    switch (node.type) {
      case "CallExpression":
      case "NewExpression":
      case "TaggedTemplateExpression":
      case "AssignmentExpression":
      case "UpdateExpression":
      case "AwaitExpression":
      case "ForInStatement":
      case "ForOfStatement":
        return true;
      case "UnaryExpression":
        if (node.operator === "delete") return true;
    }
    stack.push(...children(node));
  }
  return false;
}

function readMentions(program: Program, unit: Unit, taskCalls: readonly SyntaxNode[]): Mentions {
  const result: Mentions = {
    all: new Set(),
    written: new Set(),
    touched: new Set(),
    passed: new Set(),
    changesParameters: false,
  };
  const tasks = taskCalls.filter((call) => contains(unit, call));
  for (const use of usesWithin(program, unit)) {
    const { binding, variable, node } = use;
    if (tasks.some((call) => contains(call, node))) continue;
    if (!binding) {
      if (
        !result.changesParameters &&
        isLocal(variable) &&
        variable.defs[0]?.type === "Parameter" &&
        node.start !== (variable.identifiers as unknown as SyntaxNode[])[0]?.start
      ) {
        const role = roleOf(program, use);
        result.changesParameters = role.through && role.role === "write";
      }
      continue;
    }
    if (binding.import || binding.runtime) continue;
    result.all.add(binding);
    if (binding.start === node.start) continue;
    const { role } = roleOf(program, use);
    if (role === "write") result.written.add(binding);
    if (role === "pass") result.passed.add(binding);
    if (role !== "call") result.touched.add(binding);
  }
  return result;
}

/** How the code around a name uses it; `through` tells whether it is about the contents of the value. */
function roleOf(program: Program, { node }: Use): { role: Role; through: boolean } {
  let current = node;
  let parent = program.parents.get(current);
  let through = false;
  let method: string | undefined;
  while (parent?.type === "MemberExpression" && parent.object === current) {
    through = true;
    method = !parent.computed && parent.property.type === "Identifier" ? parent.property.name : undefined;
    current = parent;
    parent = program.parents.get(current);
  }
  if (parent?.type === "ChainExpression") parent = program.parents.get(parent);
  const as = (role: Role, contents = through): { role: Role; through: boolean } => ({
    role,
    through: contents,
  });
  switch (parent?.type) {
    case "AssignmentExpression":
      return as(parent.left === current ? "write" : "read");
    case "UpdateExpression":
      return as("write");
    case "UnaryExpression":
      return as(parent.operator === "delete" ? "write" : "read");
    case "ForInStatement":
    case "ForOfStatement":
      return as(parent.left === current ? "write" : "read");
    case "ArrayPattern":
    case "RestElement":
      return as("write");
    case "AssignmentPattern":
      return as(parent.left === current ? "write" : "read");
    case "Property": {
      const owner = program.parents.get(parent);
      return as(owner?.type === "ObjectPattern" && parent.value === current ? "write" : "read");
    }
    case "CallExpression":
    case "NewExpression": {
      if (parent.callee === current) {
        if (!through) return as("call");
        return as(method !== undefined && PURE_METHODS.has(method) ? "read" : "write");
      }
      if (parent.arguments[0] !== current) return as("pass");
      const callee = program.code.slice(parent.callee.start, parent.callee.end);
      const changes = CHANGING_FUNCTIONS.test(callee) || CHANGING_HELPERS.test(callee);
      return changes ? as("write", true) : as("pass");
    }
    default:
      return as("read");
  }
}

/** The mentions of a piece of code and of all code it leads to, up to tasks. */
function reachOf(own: Mentions, mentionsOf: (unit: Unit) => Mentions): Mentions {
  const result: Mentions = {
    all: new Set(own.all),
    written: new Set(own.written),
    touched: own.touched,
    passed: new Set(own.passed),
    changesParameters: own.changesParameters,
  };
  const seen = new Set<Unit>();
  for (const binding of result.all) {
    for (const unit of binding.units) {
      if (seen.has(unit)) continue;
      seen.add(unit);
      const next = mentionsOf(unit);
      // A set that grows while it is walked yields what is added, so this reaches everything.
      for (const item of next.all) result.all.add(item);
      for (const item of next.written) result.written.add(item);
      for (const item of next.passed) result.passed.add(item);
      result.changesParameters ||= next.changesParameters;
    }
  }
  return result;
}
