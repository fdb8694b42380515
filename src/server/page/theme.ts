/** Light or dark: as the system has it, unless the reader switched. Runs before the first paint. */
const KEY = "deskhand.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

const wanted = () => localStorage.getItem(KEY) ?? (system.matches ? "dark" : "light");

function apply(): void {
  document.documentElement.dataset["theme"] = wanted();
}

/** A choice that is what the system has anyway follows the system again. */
export function switchTheme(): void {
  const next = wanted() === "dark" ? "light" : "dark";
  if (next === (system.matches ? "dark" : "light")) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, next);
  apply();
}

system.addEventListener("change", apply);
apply();
