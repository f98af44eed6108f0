import { expect, test } from "vitest";
import { decodeValue, encodeValue, hashValue, registerValue } from "../../src/index.ts";
import { keepForeignValues } from "../../src/value/foreign.ts";

class Genome {
  readonly letters: string;
  constructor(letters: string) {
    this.letters = letters;
  }
}
registerValue({
  name: "acme.Genome",
  is: (value) => value instanceof Genome,
  encode: ({ letters }: Genome) => letters,
  decode: (letters: string) => new Genome(letters),
  hash: () => "0".repeat(40),
});

test("a value keeps its hash where its module is not loaded, and nobody can give it a malformed one", () => {
  const stored = encodeValue([new Genome("A")]).text;
  const unknown = stored.replace("acme.Genome", "acme.Unknown");
  expect(() => decodeValue(unknown)).toThrow(/no type named/);
  keepForeignValues();
  const [value] = decodeValue(unknown) as [unknown];
  expect(hashValue(value)).toBe("0".repeat(40));
  expect(encodeValue([value]).text).toBe(unknown);
  for (const hash of ['"0"', `"${"G".repeat(40)}"`, "1", "null", `["${"0".repeat(40)}"]`]) {
    expect(() => decodeValue(`{"$":["acme.Unknown","A",${hash}]}`)).toThrow(/malformed data/);
  }
  expect(() => decodeValue(`{"$":["Date",0,"${"0".repeat(40)}"]}`)).toThrow(/a tag that is not/);
  expect(() => decodeValue(`{"$":["redun.File","a","${"0".repeat(40)}"]}`)).toThrow(/a tag that is not/);
});
