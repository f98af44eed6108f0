/** Whether a host, as a URL has it, is this machine, so that what is sent there stays on it. */
export function isLoopback(hostname: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}
