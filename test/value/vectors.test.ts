import { describe, expect, test } from "vitest";
import { decodeValue, encodeValue, hashValue } from "../../src/index.ts";
import { hashTagBytes } from "../../src/value/hash.ts";
import { samples } from "./samples.ts";
import vectors from "./vectors.json" with { type: "json" };

// These stand in people's stores. A change of one is a change of the format, which needs a version of its own.
describe("the published vectors of the canonical encoding", () => {
  test("cover all samples, in format version 1", () => {
    expect(Object.keys(vectors.values)).toEqual(Object.keys(samples));
    expect(vectors.format).toBe(encodeValue(null).format);
  });

  test.each(Object.entries(vectors.values))("%s", (name, vector) => {
    const value = samples[name];
    expect(encodeValue(value)).toEqual({ ...vector, format: vectors.format });
    expect(hashValue(value)).toBe(vector.hash);
    if (vector.type !== "Set") expect(hashTagBytes("Value", vector.text)).toBe(vector.hash);
    expect(encodeValue(decodeValue(vector.text))).toEqual({ ...vector, format: vectors.format });
  });
});
