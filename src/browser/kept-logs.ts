import type { LogLine } from "./engine-api.ts";
import type { EngineState } from "./engine-state.ts";

/** So many of an execution's last lines are kept, and so many characters. */
const MOST_LINES = 2000;
const MOST_SIZE = 500_000;
/** Milliseconds between two times when they are written down while the execution runs. */
const INTERVAL = 3000;

/** The last lines that the jobs of an execution wrote, kept beyond the engine's life. */
export class KeptLog {
  private readonly state: EngineState;
  private readonly executionId: string;
  private lines: LogLine[] = [];
  private size = 0;
  private isNew = false;
  private writing: Promise<void> = Promise.resolve();
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(state: EngineState, executionId: string) {
    this.state = state;
    this.executionId = executionId;
    this.timer = setInterval(() => this.write(), INTERVAL);
  }

  add(line: LogLine): void {
    this.lines.push(line);
    this.size += line.line.length;
    this.isNew = true;
    // Cut when there is twice as much, so that it costs little a line.
    if (this.lines.length > 2 * MOST_LINES || this.size > 2 * MOST_SIZE) this.cut();
  }

  private cut(): void {
    let [first, size] = [this.lines.length, 0];
    while (first > 0 && this.lines.length - first < MOST_LINES) {
      size += this.lines[first - 1]!.line.length;
      if (size > MOST_SIZE) break;
      first--;
    }
    this.lines = this.lines.slice(first);
    this.size = this.lines.reduce((sum, { line }) => sum + line.length, 0);
  }

  /** A log that can't be kept is no error of the execution. */
  private write(): void {
    if (!this.isNew) return;
    this.isNew = false;
    this.cut();
    const { lines } = this;
    this.writing = this.writing.then(() => this.state.keepLog(this.executionId, lines)).catch(() => {});
  }

  /** Writes down what there is. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    this.write();
    await this.writing;
  }
}
