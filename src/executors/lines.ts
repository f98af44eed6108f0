/** Puts chunks of output together to lines. */
export class Lines {
  private readonly decoder = new TextDecoder();
  private partial = "";
  private readonly listener: (line: string) => void;

  constructor(listener: (line: string) => void) {
    this.listener = listener;
  }

  add(chunk: string | Uint8Array): void {
    const text = typeof chunk === "string" ? chunk : this.decoder.decode(chunk, { stream: true });
    const lines = text.split("\n");
    lines[0] = this.partial + lines[0]!;
    this.partial = lines.pop()!;
    for (const line of lines) this.listener(line);
  }

  /** Gives what came after the last line's end. */
  end(): void {
    const { partial } = this;
    this.partial = "";
    if (partial !== "") this.listener(partial);
  }
}
