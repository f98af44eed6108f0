/** Light or dark: as the system has it, unless the user chose. */
import { computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { readSetting, writeSetting } from "./settings.ts";

/** What the user may choose. */
export type Theme = "system" | "light" | "dark";

const THEMES: readonly Theme[] = ["system", "light", "dark"];
const stored = readSetting("theme");

/** The user's choice. */
export const theme: Signal<Theme> = signal(THEMES.find((name) => name === stored) ?? "system");

const system = matchMedia("(prefers-color-scheme: dark)");
const isSystemDark = signal(system.matches);
system.addEventListener("change", ({ matches }) => {
  isSystemDark.value = matches;
});

/** Whether colours are dark now, by the user's choice or the system's. */
export const isDark: ReadonlySignal<boolean> = computed(() =>
  theme.value === "system" ? isSystemDark.value : theme.value === "dark",
);

effect(() => {
  const chosen = theme.value;
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  writeSetting("theme", chosen === "system" ? undefined : chosen);
});

/** Goes on to the next choice. */
export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length]!;
}
