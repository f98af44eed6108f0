/** Lets the app open without a network, where the browser can. */

/** Starts the service worker after the page has loaded, so that it does not compete with it. */
export function keepOffline(): void {
  if (!("serviceWorker" in navigator) || !isSecureContext) return;
  const register = (): void => void start().catch(() => {});
  if (document.readyState === "complete") register();
  else addEventListener("load", register, { once: true });
}

async function start(): Promise<void> {
  await navigator.serviceWorker.register(ASSETS.serviceWorker);
  const { active } = await navigator.serviceWorker.ready;
  active?.postMessage("keep-large-files");
}
