/** Whether two types are the same, as the type checker compares them. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only for a type argument that is `true`. */
export function holds<_ extends true>(): void {}
