#!/usr/bin/env node
// Old Nodes must be able to read this file far enough to say what is wrong, so it keeps to old syntax.
var version = process.versions.node.split(".").map(Number);

if (version[0] < 22 || (version[0] === 22 && version[1] < 13)) {
  console.error("[redun] redun needs Node 22.13 or newer, but this is Node " + process.versions.node + ".");
  console.error("[redun] Hint: npm install node@24 brings one into a project, which npx then uses.");
  process.exitCode = 1;
} else {
  import("node:module")
    .then(function (module) {
      // Compiled code is kept between runs, which halves the time to start.
      if (module.enableCompileCache) module.enableCompileCache();
      return import("../dist/cli.js");
    })
    .catch(function (error) {
      if (error.code !== "ERR_MODULE_NOT_FOUND" || !/dist.cli\.js'/.test(error.message)) throw error;
      console.error("[redun] redun is not built yet: run `npm run build` in its folder.");
      process.exitCode = 1;
    });
}
