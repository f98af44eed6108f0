import { InvalidEncodingError } from "../errors/errors.ts";
import {
  classNameOf,
  classNamesOf,
  type ErrorConstructor,
  errorClasses,
  registerErrorClass,
} from "../value/error-classes.ts";
import { CODEC, registerBuiltin, type ValueCodec } from "../value/registry.ts";

/** An error class by its name, as an expression carries it. */
export class ErrorClass {
  readonly className: string;

  constructor(className: string) {
    this.className = className;
  }

  /** Whether an error is of this class. One that came from where its class is not known here matches by its classes' names. */
  matches(error: unknown): boolean {
    if (!(error instanceof Error)) return false;
    const { className } = this;
    const known = errorClasses.get(className);
    if (className === "Error" || error.name === className || (known !== undefined && error instanceof known))
      return true;
    return classNamesOf(error).includes(className);
  }
}

/** The reference to an error class. */
export function errorClass(type: ErrorConstructor): ErrorClass {
  registerErrorClass(type);
  return new ErrorClass(classNameOf(type));
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
