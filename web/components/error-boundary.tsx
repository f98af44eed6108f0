/** Keeps a fault of one view from taking the whole app down. */
import { Component, type ComponentChildren, type JSX } from "preact";
import { ErrorNotice } from "./basics.tsx";

/** Shows what is in it, or the error that this threw. Another key makes a new beginning. */
export class ErrorBoundary extends Component<{ children: ComponentChildren }, { error?: unknown }> {
  static override getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override componentDidCatch(error: unknown): void {
    reportError(error);
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
