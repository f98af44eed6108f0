import { InvalidEncodingError } from "../errors/errors.ts";
import { CODEC, registerBuiltin, type ValueCodec } from "../value/registry.ts";

// biome-ignore lint/suspicious/noExplicitAny: constructors of any error class
export type ErrorConstructor<E extends Error = Error> = new (...args: any[]) => E;

const classes = new Map<string, ErrorConstructor>();

/** An error class by its name, as an expression carries it. */
export class ErrorClass {
  readonly className: string;

  constructor(className: string) {
    this.className = className;
  }

  /** Whether an error is of this class. One that came from elsewhere, where classes are lost, matches by its name. */
  matches(error: unknown): boolean {
    const known = classes.get(this.className);
    if (known !== undefined && error instanceof known) return true;
    return error instanceof Error && (error.name === this.className || this.className === "Error");
  }
}

/** The reference to an error class. */
export function errorClass(type: ErrorConstructor): ErrorClass {
  classes.set(type.name, type);
  return new ErrorClass(type.name);
}

const codec: ValueCodec<ErrorClass, unknown> = {
  name: "redun.ErrorClass",
  is: (value) => value instanceof ErrorClass,
  encode: (value) => value.className,
  decode: (data) => {
    if (typeof data !== "string") throw new InvalidEncodingError("malformed data of type redun.ErrorClass");
    return new ErrorClass(data);
  },
  display: (value) => value.className,
};
Object.defineProperty(ErrorClass.prototype, CODEC, { value: codec });
registerBuiltin(codec);

/** Whether an error is of one of the classes. */
export function matchesAny(error: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) return wanted.some((item) => matchesAny(error, item));
  return wanted instanceof ErrorClass && wanted.matches(error);
}
