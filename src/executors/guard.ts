import { type ChildProcess, spawn } from "node:child_process";
import { clearTimeout, setTimeout } from "node:timers";

/**
 * Reads `+ PID` and `- PID` lines, and when they end, which is when this process does however it ends, ends the
 * process groups that are left, with a moment to clean up. It ignores what a terminal sends to all processes.
 */
const SCRIPT = `trap '' INT TERM HUP QUIT
pids=' '
while read -r op pid; do
  case $op in
    +) pids="$pids$pid " ;;
    -) pids="\${pids%% $pid *} \${pids#* $pid }" ;;
  esac
done
exec 2>/dev/null
for pid in $pids; do kill -s TERM -- "-$pid"; done
for try in 1 2; do
  left=
  for pid in $pids; do kill -s 0 -- "-$pid" && left="$left $pid"; done
  pids=$left
  [ -z "$pids" ] && exit
  sleep 1
done
for pid in $pids; do kill -s KILL -- "-$pid"; done`;

let guard: ChildProcess | undefined;
let watched = 0;
let idle: NodeJS.Timeout | undefined;

/** Milliseconds that the guard is kept for the next group. */
const LINGER = 500;

/**
 * Sees to it that a process group doesn't outlive this process, even one that is killed or that computes without
 * ever looking at its channel. Where there is no shell, nothing is watched.
 *
 * @param pid - the leader of the group
 * @returns ends the watch, for when the leader has ended
 */
export function guardGroup(pid: number): () => void {
  clearTimeout(idle);
  guard ??= startGuard();
  const current = guard;
  tell(current, `+ ${pid}\n`);
  watched++;
  let over = false;
  return () => {
    if (over) return;
    over = true;
    watched--;
    tell(current, `- ${pid}\n`);
    if (watched > 0) return;
    idle = setTimeout(() => {
      guard = undefined;
      current.stdin?.end();
    }, LINGER);
    idle.unref();
  };
}

function tell(to: ChildProcess, line: string): void {
  if (to.stdin?.writable) to.stdin.write(line);
}

function startGuard(): ChildProcess {
  const child = spawn("/bin/sh", ["-c", SCRIPT], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  child.on("error", () => {});
  child.stdin?.on("error", () => {});
  child.unref();
  (child.stdin as { unref?(): void } | null)?.unref?.();
  return child;
}
