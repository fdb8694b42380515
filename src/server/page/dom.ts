/** Building the page's elements. Text goes in as text: nothing here, or anywhere on the page, parses HTML. */

type Child = Node | string | undefined;
type Attributes = Record<string, string | boolean | undefined>;

/** An element with attributes (`true` sets an empty one; false and undefined leave it out) and children. */
export function element<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** Part of the page as index.html has it. */
export function part<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`index.html has no ${type.name} with the id ${id}`);
  return found;
}

const SVG = "http://www.w3.org/2000/svg";

/** Drawn with a pen on 24 × 24. */
const ICONS = {
  copy: "M9 9h10a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H9a1 1 0 0 1-1-1V10a1 1 0 0 1 1-1zM5 15H4a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1h10a1 1 0 0 1 1 1v1",
  check: "M4 12.5l5 5L20 6.5",
  retry: "M3.5 12a8.5 8.5 0 1 0 2.6-6.1L3.5 8.4M3.5 3.5v4.9h4.9",
  edit: "M4 20h4L19.5 8.5a2.1 2.1 0 0 0-3-3L5 17v3M14.5 7l3 3",
  close: "M6 6l12 12M18 6L6 18",
} as const;

export function icon(name: keyof typeof ICONS): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A small button: an icon, and what it does for whoever cannot see it. */
export function iconButton(name: keyof typeof ICONS, label: string, onClick: (button: HTMLButtonElement) => void): HTMLButtonElement {
  const button = element("button", { type: "button", class: "quiet", "aria-label": label, title: label }, icon(name));
  button.addEventListener("click", () => onClick(button));
  return button;
}

const DONE_MS = 1_600;

/** Copies text and shows that it did. Without the clipboard, which browsers give to secure pages only, it selects the text instead. */
export async function copyFrom(button: HTMLButtonElement, text: string, shown: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    button.replaceChildren(icon("check"));
    announce("Copied");
  } catch {
    getSelection()?.selectAllChildren(shown);
    announce("Selected: press Ctrl+C to copy");
  }
  setTimeout(() => button.replaceChildren(icon("copy")), DONE_MS);
}

/** Says something to screen readers alone. */
export function announce(text: string): void {
  part("announcer", HTMLElement).textContent = text;
}
