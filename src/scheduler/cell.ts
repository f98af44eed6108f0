import type { ExpressionNode } from "../expression/node.ts";
import type { EncodedValue } from "../value/value.ts";

type Listener = (cell: Cell) => void;

/**
 * The place of one expression's value under one parent job. Unlike a promise it calls its listeners when it settles,
 * or at once if it has, and it allocates nothing else; the evaluator keeps the depth of such calls bounded by going
 * through its work stack.
 */
export class Cell {
  /** The expression, where others that equal it may come and share the cell. */
  readonly node: ExpressionNode | undefined;
  /** Those others, which learn what call the first one led to. */
  twins: ExpressionNode[] | undefined = undefined;
  private settled = false;
  private failed = false;
  private result: unknown = undefined;
  /** Encoding of the value, where it is known. */
  encoded: EncodedValue | undefined = undefined;
  /** Most cells have one listener. */
  private listeners: Listener | Listener[] | undefined = undefined;

  constructor(node?: ExpressionNode) {
    this.node = node;
  }

  get isSettled(): boolean {
    return this.settled;
  }

  get isFailed(): boolean {
    return this.failed;
  }

  /** The value, once resolved. */
  get value(): unknown {
    return this.result;
  }

  /** The error, once rejected. */
  get error(): unknown {
    return this.result;
  }

  /** Only the first settling counts. @returns the listeners to call, which are the caller's duty */
  settle(failed: boolean, result: unknown, encoded?: EncodedValue): readonly Listener[] {
    if (this.settled) return [];
    this.settled = true;
    this.failed = failed;
    this.result = result;
    this.encoded = encoded;
    const { listeners } = this;
    this.listeners = undefined;
    if (listeners === undefined) return [];
    return typeof listeners === "function" ? [listeners] : listeners;
  }

  /** Calls the listener when the cell settles, or now. */
  listen(listener: Listener): void {
    if (this.settled) listener(this);
    else if (this.listeners === undefined) this.listeners = listener;
    else if (typeof this.listeners === "function") this.listeners = [this.listeners, listener];
    else this.listeners.push(listener);
  }
}

/** A cell that has its value. */
export function resolved(value: unknown, encoded?: EncodedValue): Cell {
  const cell = new Cell();
  cell.settle(false, value, encoded);
  return cell;
}
