declare module "isolate-runtime" {
  const runtime: import("../../src/executors/isolate-messages.ts").IsolateRuntime;
  export default runtime;
}

declare module "package:*" {
  const content: import("../../src/package/types.ts").CodePackage;
  export default content;
}
