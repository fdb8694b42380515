import { release } from "node:os";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { parseWith, readJson } from "../core/json.js";
import type { RunLine } from "./recorder/records.js";

const Manifest = z.object({ version: z.string() });

/** What a trajectory was made with. */
export async function readVersions(): Promise<RunLine["versions"]> {
  const path = fileURLToPath(new URL("../../package.json", import.meta.url));
  const { version } = parseWith(Manifest, await readJson(path, "internal"), path, "internal");
  return { deskhand: version, node: process.version, platform: `${process.platform} ${process.arch} ${release()}` };
}
