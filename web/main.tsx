/** The app's entry. */
import { render } from "preact";
import { App } from "./app.tsx";
import { keepOffline } from "./state/offline.ts";

render(<App />, document.getElementById("app")!);
keepOffline();
