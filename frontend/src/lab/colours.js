// Colours of the terminal, light and dark as the page is. Every pair of text and ground has a contrast of 4.5.

const light = {
  background: "#f7f5ef",
  foreground: "#1c2430",
  cursor: "#0a666d",
  cursorAccent: "#f7f5ef",
  selectionBackground: "#0a666d3d",
  selectionInactiveBackground: "#56627033",
  scrollbarSliderBackground: "#1c243030",
  scrollbarSliderHoverBackground: "#1c243050",
  scrollbarSliderActiveBackground: "#1c243070",
  black: "#1c2430",
  red: "#a32a20",
  green: "#19663f",
  yellow: "#7a4f00",
  blue: "#1d4f91",
  magenta: "#8f2f7d",
  cyan: "#0a666d",
  white: "#566270",
  brightBlack: "#5d6873",
  brightRed: "#b3372b",
  brightGreen: "#1f7a4d",
  brightYellow: "#8a5a00",
  brightBlue: "#2a62ae",
  brightMagenta: "#a03a8c",
  brightCyan: "#0d747b",
  brightWhite: "#303a46",
};

const dark = {
  background: "#0a0f14",
  foreground: "#d9e2e8",
  cursor: "#62c8cb",
  cursorAccent: "#0a0f14",
  selectionBackground: "#62c8cb47",
  selectionInactiveBackground: "#a3b0bc3d",
  scrollbarSliderBackground: "#d9e2e830",
  scrollbarSliderHoverBackground: "#d9e2e850",
  scrollbarSliderActiveBackground: "#d9e2e870",
  black: "#2a3540",
  red: "#ff9d90",
  green: "#74d3a4",
  yellow: "#ecc372",
  blue: "#8fbcf5",
  magenta: "#e7a0d8",
  cyan: "#62c8cb",
  white: "#d9e2e8",
  brightBlack: "#8b98a5",
  brightRed: "#ffb1a6",
  brightGreen: "#8fe0b6",
  brightYellow: "#f5d594",
  brightBlue: "#a9ccf8",
  brightMagenta: "#efb8e3",
  brightCyan: "#84dadc",
  brightWhite: "#ffffff",
};

/** Marks of the search bar, for the look that is shown. */
export const searchMarks = () =>
  isDark()
    ? { matchBackground: "#5a4a1c", activeMatchBackground: "#8a6a10", matchOverviewRuler: "#ecc372", activeMatchColorOverviewRuler: "#ffffff" }
    : { matchBackground: "#f3dfa8", activeMatchBackground: "#f0bf4c", matchOverviewRuler: "#7a4f00", activeMatchColorOverviewRuler: "#1c2430" };

const wish = matchMedia("(prefers-color-scheme: dark)");

const isDark = () => {
  const { theme } = document.documentElement.dataset;
  return theme === "dark" || (theme !== "light" && wish.matches);
};

export const coloursOfPage = () => (isDark() ? dark : light);

/** Call `change` whenever the page turns light or dark. Returns what ends it. */
export function followPage(change) {
  const watcher = new MutationObserver(change);
  watcher.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  wish.addEventListener("change", change);
  return () => {
    watcher.disconnect();
    wish.removeEventListener("change", change);
  };
}
