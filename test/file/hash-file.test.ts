import { describe, expect, test } from "vitest";
import {
  hashContentFile,
  hashFileByEtag,
  hashFileBySize,
  hashFileSet,
  hashIFile,
  hashLocalFile,
  hashStaging,
} from "../../src/file/hash-file.ts";
import { hashBytes, hashStruct } from "../../src/value/hash.ts";

describe("hashes of files agree with redun's", () => {
  test("a missing local file", () => {
    expect(hashLocalFile("hello.txt", undefined)).toBe("18fc941eb35e16331a0709710df7e8dc75ae2619");
  });

  test("a local file by integer size and text time", () => {
    expect(hashLocalFile("a", { size: 5, mtime: "1700000000000000000" })).toBe(
      hashStruct(["File", "local", "a", 5, "1700000000000000000"]),
    );
  });

  test("a file over HTTP by its size as text", () => {
    expect(hashFileBySize("http://e/x", 5)).toBe("6a46fe1f2ae9313e2dd01218de2ec4e24948108d");
    expect(hashFileBySize("http://e/x", undefined)).toBe(hashStruct(["File", "fsspec", "http://e/x", "-1"]));
  });

  test("a file on S3 by its etag with quotes, or nothing if it is missing", () => {
    expect(hashFileByEtag("s3", "s3://example-bucket/a", undefined)).toBe(
      "cb7880ecc11723b8b8cad37f6b5160251d7a765e",
    );
    expect(hashFileByEtag("s3", "s3://example-bucket/a", '"5d41402abc4b2a76b9719d911017c592"')).toBe(
      "ea438dc20234f0226736d407d7caba13f7e3c49e",
    );
  });

  test("an IFile by its path, a ContentFile by path and content", () => {
    expect(hashIFile("ifile")).toBe("88f6498874027742470d5d237a4c3fdd6da76cff");
    expect(hashContentFile("f", hashBytes("hello"))).toBe("681d3be64426658be011bd0e9090e29bfa0a096f");
  });

  test("staging by the two paths", () => {
    expect(hashStaging("redun.StagingFile", "local.txt", "remote.txt")).toBe(
      "cfb6d4d9de4d45ed80bbdb6d411ffc22618b9db1",
    );
    expect(hashStaging("redun.StagingDir", "local", "remote")).toBe(
      "bb933a6873e68cdb47ecf5af8c5784608966ae14",
    );
  });

  test("a set by class, key and sorted file hashes", () => {
    expect(hashFileSet("Dir", "d", ["b", "a"])).toBe(hashStruct(["Dir", "d", "a", "b"]));
    expect(hashFileSet("Dir", "d", [])).not.toBe(hashFileSet("Dir", "e", []));
    expect(hashFileSet("Dir", "d", [])).not.toBe(hashFileSet("ContentDir", "d", []));
  });
});
