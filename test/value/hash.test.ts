import { describe, expect, test } from "vitest";
import { hashStruct as hash } from "../../src/index.ts";
import {
  hashArgument,
  hashArguments,
  hashBytes,
  hashCallNode,
  hashEval,
  hashStream,
  hashTagBytes,
  setSha512,
} from "../../src/value/hash.ts";
import { stableJson } from "../../src/value/json.ts";

const a = "a".repeat(40);
const b = "b".repeat(40);
const c = "c".repeat(40);
const one = "1".repeat(40);
const two = "2".repeat(40);

describe("hashing bytes", () => {
  test("HSH-001: gives the first 40 hex digits of SHA-512", () => {
    expect(hashBytes("")).toBe("cf83e1357eefb8bdf1542850d66d8007d620e405");
    expect(hashBytes("hello")).toBe("9b71d224bd62f3785d96d46ad3ea3d73319bfbc2");
    expect(hashBytes(new TextEncoder().encode("hello"))).toBe("9b71d224bd62f3785d96d46ad3ea3d73319bfbc2");
  });

  test("HSH-008: tagged bytes are the bencoded tag and the bytes", () => {
    expect(hashTagBytes("Value", "123")).toBe("25aa6da917ca4e568e859df039fb1ca184e65d57");
    expect(hashTagBytes("Value", new TextEncoder().encode("123"))).toBe(
      "25aa6da917ca4e568e859df039fb1ca184e65d57",
    );
  });

  test("HSH-010: the portable and the runtime's own implementation agree", () => {
    const texts = ["", "hello", "é", "😀", "\ud800", "x".repeat(1000)];
    const own = texts.map(hashBytes);
    const before = setSha512(undefined);
    expect(texts.map(hashBytes)).toEqual(own);
    setSha512(before);
  });

  test("HSH-039: a stream hashes like the whole, whatever the block size", () => {
    const bytes = new TextEncoder().encode("The quick brown fox jumps over the lazy dog. ".repeat(50));
    for (const size of [1, 7, 128, 1000, bytes.length]) {
      const stream = hashStream();
      for (let i = 0; i < bytes.length; i += size) stream.update(bytes.subarray(i, i + size));
      expect(stream.digest()).toBe(hashBytes(bytes));
    }
    expect(hashStream().digest()).toBe(hashBytes(""));
  });
});

describe("hashing structures", () => {
  test("HSH-003: has the published vectors", () => {
    expect(hash(["Task", "123"])).toBe("f02cbd309f1866b7d015617265c233160abdbd10");
    expect(hash({ key1: 10, key2: "123" })).toBe("15c28723885dd16585e5555596f5e0ba67ef9ce1");
    expect(hash([])).toBe("052d52f93faf4fa4037fc1e1cedec179253e47e3");
    expect(hash({})).toBe("2b5801d08603c0d5f4db58b71dc5ff22e1e3d3b8");
    expect(hash(["é"])).toBe("67980fe022037ed3fa8c40250f38fb90dd02a984");
  });

  test("bytes and text that are alike hash alike", () => {
    expect(hash(["Task", new TextEncoder().encode("123")])).toBe(hash(["Task", "123"]));
  });

  test("HSH-014: arguments, by position and by name", () => {
    expect(hashArguments([one, two], { a: b, b: c })).toBe("8ae45b150f8584b50360c9be04880676993115e6");
    expect(hashArguments([one])).toBe(hash(["TaskArguments", [one], {}]));
    expect(hashArguments([])).toBe(hashArguments([], {}));
  });

  test("HSH-015: the evaluation of a task with arguments", () => {
    expect(hashEval(a, b)).toBe("7de02431f934f1b29eea68d1288a8e78b160aadb");
  });

  test("HSH-016: a call, where the order of children is irrelevant but repeats count", () => {
    expect(hashCallNode(a, b, c, [])).toBe("7842d1f3965559b49be3913a3921e6b2d6174e11");
    expect(hashCallNode(a, b, c, [one, two])).toBe("112f2a5f897fdaafcbd1f7e2959b08afe14094cc");
    expect(hashCallNode(a, b, c, [two, one])).toBe("112f2a5f897fdaafcbd1f7e2959b08afe14094cc");
    expect(hashCallNode(a, b, c, [one, one, two])).not.toBe("112f2a5f897fdaafcbd1f7e2959b08afe14094cc");
  });

  test("HSH-017: the record of an argument", () => {
    expect(hashArgument(one, 0, null, c)).toBe("1f67330ecf343e34f5f6570fea4baf3fe8f53071");
    expect(hashArgument(one, null, "x", c)).toBe("ccb248f3643d21babf1ac6a931e11f4b34cb9712");
  });

  test("HSH-018: tags", () => {
    const tag = (entity: string, key: string, value: Parameters<typeof stableJson>[0], parents: string[]) =>
      hash(["Tag", entity, key, stableJson(value), [...parents].sort()]);
    expect(tag("e".repeat(40), "env", "prod", [])).toBe("6bfad466e954ed524abe5549d4363846fa18caa5");
    expect(tag("e".repeat(40), "env", [1, { b: 1, a: null }], [one])).toBe(
      "265506b394475ac4845ab0a93738ccd9412e638a",
    );
    expect(tag("", "", null, [one])).toBe("b922dcabc923a92c1f71ad1a15ea7e746ea6cde1");
  });

  test("HSH-020 to HSH-031: pre-images of the other records", () => {
    expect(hash(["Task", "ns.t", "version", "1"])).toBe("5bd45817942a317b0d2e7c9ac40ccfdd10024144");
    expect(hash(["Task", "ns.t", "source", "x"])).toBe("8618ece4eb43d622c60fc4cad65f6364dea34f68");
    expect(hash(["PartialTask", a, b])).toBe("8834c0ae434a57898d44667d7784e3bb4b59c241");
    expect(hash(["SchedulerExpression", "redun.cond", one])).toBe("f479eec4c6d35135d9f977bda28e02bf72804a4c");
    expect(hash(["Thread", one])).toBe("8073402c72254c9ae09cc300e5a932ae104d8574");
    expect(hash(["Handle", "ns.conn", "init", "", [one], { k: two }])).toBe(
      "2c6c979d86057a969e5c11eb49db0039b9279902",
    );
    expect(hash(["Handle", "ns.conn", "call_hash", "", one])).toBe(
      "6b1793003e464908b33e745f0b9b2c9d51534578",
    );
    expect(hash(["Handle", "ns.conn", "call_hash", "a", one])).toBe(
      "fa41e94f901ca7ec18a0f9ffa31fa1c0b081c753",
    );
    expect(hash(["File", "local", "hello.txt", -1, "-1"])).toBe("18fc941eb35e16331a0709710df7e8dc75ae2619");
    expect(hash(["File", "fsspec", "http://e/x", "5"])).toBe("6a46fe1f2ae9313e2dd01218de2ec4e24948108d");
    expect(hash(["File", "s3", "s3://example-bucket/a", ""])).toBe(
      "cb7880ecc11723b8b8cad37f6b5160251d7a765e",
    );
    expect(hash(["IFile", "ifile"])).toBe("88f6498874027742470d5d237a4c3fdd6da76cff");
    expect(hash(["ContentFile", "f", hashBytes("hello")])).toBe("681d3be64426658be011bd0e9090e29bfa0a096f");
    expect(hash(["redun.StagingFile", "local.txt", "remote.txt"])).toBe(
      "cfb6d4d9de4d45ed80bbdb6d411ffc22618b9db1",
    );
    expect(hash(["redun.StagingDir", "local", "remote"])).toBe("bb933a6873e68cdb47ecf5af8c5784608966ae14");
  });

  test("HSH-037: records of different kinds never have the same hash", () => {
    const kinds = ["Eval", "CallNode", "Task", "PartialTask", "SimpleExpression", "SchedulerExpression"];
    expect(new Set(kinds.map((kind) => hash([kind, a, b]))).size).toBe(kinds.length);
  });
});

describe("the JSON of tags", () => {
  test("HSH-019: is compact and has sorted keys", () => {
    expect(stableJson({ b: [1, true, null], a: "x", "😀": 1, "\uffff": 2 })).toBe(
      '{"a":"x","b":[1,true,null],"\\uffff":2,"\\ud83d\\ude00":1}',
    );
  });

  test("HSH-019: escapes what is not ASCII", () => {
    expect(stableJson('é😀\u007f\n"\\')).toBe('"\\u00e9\\ud83d\\ude00\\u007f\\n\\"\\\\"');
  });

  test.each([
    [1, "1"],
    [-7, "-7"],
    [0.5, "0.5"],
    [1e16, "1e+16"],
    [1.5e300, "1.5e+300"],
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [1.25e-7, "1.25e-07"],
    [-0, "-0.0"],
    [NaN, "NaN"],
    [-Infinity, "-Infinity"],
    [9007199254740991, "9007199254740991"],
  ])("HSH-019: prints %d as Python does", (value, text) => {
    expect(stableJson(value)).toBe(text);
  });
});
