/** Keeps a fault of one view from taking the whole app down. */
import { Component, type ComponentChildren, type JSX } from "preact";
import { ErrorNotice } from "./basics.tsx";

interface Props {
  /** What of the view is shown: after an error, another part is tried anew. */
  readonly part: string;
  readonly children: ComponentChildren;
}

/** Shows what is in it, or the error that this threw. Another key makes a new beginning. */
export class ErrorBoundary extends Component<Props, { error?: unknown }> {
  static override getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override componentDidCatch(error: unknown): void {
    reportError(error);
  }

  override componentDidUpdate(before: Props): void {
    if (before.part !== this.props.part && this.state.error !== undefined)
      this.setState({ error: undefined });
  }

  override render(): JSX.Element {
    const { error } = this.state;
    if (error === undefined) return <>{this.props.children}</>;
    return (
      <div class="page">
        <ErrorNotice error={error} title="This view has failed. The others still work." />
      </div>
    );
  }
}
