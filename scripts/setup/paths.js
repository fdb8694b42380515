import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout, or the installed package. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Everything the set-up makes, apart from node_modules/ and dist/. Removing it is safe. */
export const BUILD = join(ROOT, "build");

export const ADDON = join(BUILD, "native", "deskhand.node");
