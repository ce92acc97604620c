/** Light or dark: as the system has it, until somebody chooses here. */

const name = "logguardian.theme";
const choices = /** @type {const} */ (["system", "light", "dark"]);
/** @typedef {typeof choices[number]} Theme */

export function createTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)");
  /** @type {Set<() => void>} */
  const listeners = new Set();
  let chosen = /** @type {Theme} */ (choices.find((one) => one === localStorage.getItem(name)) ?? "system");

  function apply() {
    const isDark = chosen === "system" ? system.matches : chosen === "dark";
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
    for (const listener of listeners) listener();
    // Whoever draws by hand, such as the timeline, draws anew.
    dispatchEvent(new Event("themechange"));
  }
  system.addEventListener("change", apply);
  apply();
  return {
    chosen: () => chosen,
    next() {
      chosen = choices[(choices.indexOf(chosen) + 1) % choices.length] ?? "system";
      localStorage.setItem(name, chosen);
      apply();
    },
    /** @param {() => void} listener */
    onChange: (listener) => void listeners.add(listener),
  };
}
