declare module "cloudflare:test" {
  /** Runs an object's alarm at once. @returns whether one was set */
  export function runDurableObjectAlarm(
    stub: import("@cloudflare/workers-types").DurableObjectStub,
  ): Promise<boolean>;
}
