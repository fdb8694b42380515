import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

/** What a page is made of. */
export interface PageSource {
  /** The page itself, which names everything else as `"assets/NAME"`. */
  html: URL;
  /** Files by these names, or their text. */
  assets: ReadonlyMap<string, URL | string>;
}

/** A page as browsers get it. */
export interface PageFiles {
  /** The page itself, which names the version of everything else. */
  html: Buffer;
  /** Changes whenever a file does, so that a browser may keep what it has for ever. */
  version: string;
  files: ReadonlyMap<string, { body: Buffer; type: string }>;
}

// Both src/server and dist/server are two levels below the package: the modules are compiled, the rest is served as it is written.
const MODULES = new URL("../../dist/server/page/", import.meta.url);
const STATIC = new URL("../../src/server/page/static/", import.meta.url);
const TYPES: Record<string, string> = { js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8", svg: "image/svg+xml" };

/** A folder's scripts, styles and icons. */
export function assetsIn(folder: URL): [string, URL][] {
  return readdirSync(folder).sort().filter((name) => typeOf(name) !== undefined).map((name) => [name, new URL(name, folder)]);
}

/** The chat page. */
export function chatPage(): PageSource {
  const marked = pathToFileURL(createRequire(fileURLToPath(import.meta.url)).resolve("marked"));
  return { html: new URL("index.html", STATIC), assets: new Map([...assetsIn(MODULES), ...assetsIn(STATIC), ["marked.js", marked]]) };
}

/** What other pages share with it: modules by their place below `dist/`, so that they find each other, and looks. */
export function sharedAssets(): [string, URL][] {
  const modules = ["dom.js", "theme.js", "server-sent.js"].map((name): [string, URL] => [`server/page/${name}`, new URL(name, MODULES)]);
  return [...modules, ...["style.css", "controls.css", "icon.svg"].map((name): [string, URL] => [name, new URL(name, STATIC)])];
}

/** Reads every file of a page: they are few and small, and what is not among them cannot be asked for. */
export function readPageFiles({ html: page, assets }: PageSource): PageFiles {
  const body = readFileSync(page);
  const hash = createHash("sha256").update(body);
  const files = new Map<string, { body: Buffer; type: string }>();
  for (const [name, from] of assets) {
    const file = { body: typeof from === "string" ? Buffer.from(from) : readFileSync(from), type: typeOf(name)! };
    files.set(name, file);
    hash.update(`\0${name}\0`).update(file.body);
  }
  const version = hash.digest("hex").slice(0, 16);
  // Named at once rather than found one import after the other.
  const modules = [...files.keys()].filter((name) => name.endsWith(".js")).map((name) => `<link rel="modulepreload" href="assets/${name}">`);
  const html = body.toString("utf8").replace("</head>", `${modules.join("")}</head>`).replaceAll('"assets/', `"page/${version}/`);
  return { html: Buffer.from(html), version, files };
}

function typeOf(name: string): string | undefined {
  return TYPES[name.split(".").at(-1) ?? ""];
}
