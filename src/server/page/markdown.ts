import { copyFrom, element, icon } from "./dom.js";
import { lexer, type MarkedToken, type Token, type Tokens } from "./marked.js";

/**
 * What a model writes, as elements. The text is untrusted: it is split by marked and built node by node, so HTML in it stays text, links go to
 * the web only, and pictures, whose addresses could carry away what was said, are links too.
 */
export class MarkdownView {
  readonly element = element("div", { class: "markdown" });
  /** What each of the element's nodes was made from. */
  #blocks: string[] = [];
  #definitions = "";

  /** Shows this text. Blocks that did not change stay as they are, with what the reader selected or scrolled in them. */
  show(text: string): void {
    const tokens = lexer(text, { gfm: true, breaks: true }).filter(({ type }) => type !== "space");
    const definitions = tokens.flatMap(({ type, raw }) => (type === "def" ? [raw] : [])).join("");
    const changed = definitions === this.#definitions ? tokens.findIndex(({ raw }, index) => raw !== this.#blocks[index]) : 0;
    const from = changed === -1 ? tokens.length : changed;
    while (this.#blocks.length > from) {
      this.#blocks.pop();
      this.element.lastChild?.remove();
    }
    for (const token of tokens.slice(from)) {
      this.#blocks.push(token.raw);
      this.element.append(block(token));
    }
    this.#definitions = definitions;
  }
}

/** One node for every block, so that they can be counted together. */
function block(token: Token): Node {
  return blockElement(token as MarkedToken) ?? element("p", {}, ...inline([token]));
}

function blockElement(token: MarkedToken): HTMLElement | Comment | undefined {
  switch (token.type) {
    case "heading":
      // The page has an h1 of its own.
      return element(`h${Math.min(6, token.depth + 1)}` as "h2", {}, ...inline(token.tokens));
    case "paragraph":
      return element("p", {}, ...inline(token.tokens));
    case "code":
      return codeBlock(token.text, token.lang ?? "");
    case "blockquote":
      return element("blockquote", {}, ...blocks(token.tokens));
    case "list":
      return list(token);
    case "table":
      return table(token);
    case "html":
      return element("p", { class: "raw" }, token.raw.trim());
    case "hr":
      return element("hr");
    case "def":
      return document.createComment("");
    default:
      return undefined;
  }
}

function blocks(tokens: readonly Token[]): Node[] {
  return tokens.filter(({ type }) => type !== "space").map(block);
}

function codeBlock(code: string, info: string): HTMLElement {
  const language = /^[\w+#.-]{1,24}/.exec(info)?.[0] ?? "";
  const text = element("code", {}, code);
  const copy = element("button", { type: "button", class: "quiet", "aria-label": "Copy code", title: "Copy code" }, icon("copy"));
  copy.addEventListener("click", () => void copyFrom(copy, code, text));
  // Long lines scroll, which has to work from the keyboard too.
  const frame = element("pre", { tabindex: "0", "aria-label": language === "" ? "Code" : `Code in ${language}` }, text);
  return element("figure", { class: "code" }, element("figcaption", {}, element("span", {}, language), copy), frame);
}

function list({ ordered, start, items }: Tokens.List): HTMLElement {
  const rows = items.map(({ task, checked, loose, tokens }) => {
    const row = element("li", { class: task ? "task" : undefined });
    if (task) row.append(element("input", { type: "checkbox", disabled: true, checked: checked ?? false, "aria-label": checked ? "done" : "to do" }));
    for (const token of tokens) {
      if (token.type === "checkbox" || token.type === "space") continue;
      // The lines of a tight list are no paragraphs.
      if (token.type === "text" && !loose) row.append(...inline([token]));
      else row.append(block(token));
    }
    return row;
  });
  return ordered ? element("ol", { start: start === "" || start === 1 ? undefined : String(start) }, ...rows) : element("ul", {}, ...rows);
}

function table({ header, rows }: Tokens.Table): HTMLElement {
  const cells = (row: readonly Tokens.TableCell[], tag: "th" | "td") => element("tr", {}, ...row.map((cell) => element(tag, { class: cell.align ?? undefined }, ...inline(cell.tokens))));
  const made = element("table", {}, element("thead", {}, cells(header, "th")), element("tbody", {}, ...rows.map((row) => cells(row, "td"))));
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table" }, made);
}

function inline(tokens: readonly Token[]): (Node | string)[] {
  return tokens.flatMap((token) => inlineNodes(token as MarkedToken));
}

function inlineNodes(token: MarkedToken): (Node | string)[] {
  switch (token.type) {
    case "strong":
    case "em":
    case "del":
      return [element(token.type, {}, ...inline(token.tokens))];
    case "codespan":
      return [element("code", {}, token.text)];
    case "br":
      return [element("br")];
    case "link":
      return [link(token.href, inline(token.tokens))];
    case "image":
      return [link(token.href, [`🖼 ${token.text || token.href}`])];
    case "text":
      return token.tokens ? inline(token.tokens) : [withoutReferences(token.text)];
    case "escape":
      return [token.text];
    case "checkbox":
      return [];
    default:
      return [token.raw];
  }
}

/** A link where the address is one of the web; elsewhere the words alone. */
function link(href: string, words: (Node | string)[]): Node {
  const url = URL.canParse(href) ? new URL(href) : undefined;
  if (url?.protocol !== "https:" && url?.protocol !== "http:") return element("span", {}, ...words);
  return element("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow", title: url.href }, ...words);
}

const NAMED: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0" };

/** `&amp;` and its like, which markdown has in text but not in code. */
function withoutReferences(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w+));/gi, (all, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return NAMED[name] ?? all;
    const code = decimal === undefined ? parseInt(hex ?? "", 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
  });
}
