/** The app's entry. */
import { render } from "preact";
import { App } from "./app.tsx";
import { findInstances } from "./state/instances.ts";
import { keepOffline } from "./state/offline.ts";

render(<App />, document.getElementById("app")!);
void findInstances();
keepOffline();
