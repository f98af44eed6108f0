import { task } from "redun";

/** Finds somebody to greet. */
export const planet = task("hello.planet", () => "World");

export const greet = task("hello.greet", (word: string, name: string) => `${word}, ${name}!`);

/**
 * Greets a planet.
 *
 * @param word - the word of greeting
 */
export const main = task("hello.main", (word: string = "Hello") => greet(word, planet()));
