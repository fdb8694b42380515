const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text that is HTML already. Only `html` makes it, so everything else gets escaped. */
export class Markup {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

type Value = Markup | string | number | undefined | readonly Value[];

/** Builds HTML or SVG: whatever is put in is escaped, in text and in quoted attributes, unless it is `Markup`; arrays are joined. */
export function html(strings: TemplateStringsArray, ...values: Value[]): Markup {
  return new Markup(strings.reduce((text, part, index) => text + toText(values[index - 1]) + part));
}

function toText(value: Value): string {
  if (value === undefined) return "";
  if (value instanceof Markup) return value.toString();
  if (typeof value === "object") return value.map(toText).join("");
  return showControls(String(value)).replace(/[&<>"']/g, (char) => ESCAPES[char] ?? char);
}

/** Control characters other than tab and line feed are not allowed in HTML; they are shown as their symbols. */
function showControls(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, (char) => (char === "\u007f" ? "\u2421" : String.fromCharCode(0x2400 + char.charCodeAt(0))));
}
