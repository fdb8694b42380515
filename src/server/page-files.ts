import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** The chat page as browsers get it. */
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
const TYPES: Record<string, string> = { js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8", svg: "image/svg+xml", html: "text/html; charset=utf-8" };
const PAGE = "index.html";

/** Reads every file of the page: they are few and small, and what is not among them cannot be asked for. */
export function readPageFiles(): PageFiles {
  const files = new Map<string, { body: Buffer; type: string }>();
  for (const folder of [MODULES, STATIC]) {
    for (const name of readdirSync(folder).sort()) {
      const type = TYPES[name.split(".").at(-1) ?? ""];
      if (type !== undefined) files.set(name, { body: readFileSync(new URL(name, folder)), type });
    }
  }
  files.set("marked.js", { body: readFileSync(createRequire(fileURLToPath(import.meta.url)).resolve("marked")), type: TYPES["js"]! });

  const page = files.get(PAGE)!;
  files.delete(PAGE);
  const hash = createHash("sha256").update(page.body);
  for (const [name, { body }] of files) hash.update(`\0${name}\0`).update(body);
  const version = hash.digest("hex").slice(0, 16);
  // Named at once rather than found one import after the other.
  const modules = [...files.keys()].filter((name) => name.endsWith(".js")).map((name) => `<link rel="modulepreload" href="assets/${name}">`);
  const html = page.body.toString("utf8").replace("</head>", `${modules.join("")}</head>`).replaceAll('"assets/', `"page/${version}/`);
  return { html: Buffer.from(html), version, files };
}
