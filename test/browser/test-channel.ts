/** Keeps for tasks of tests what a job worker withholds. */
Object.assign(globalThis, { TestChannel: BroadcastChannel });
