import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** The Hugging Face settings of the environment, read with the same names and precedence as Python's huggingface_hub. */
export interface HubEnvironment {
  cacheDir: string;
  hubUrl: string;
  offline: boolean;
}

const DEFAULT_HUB_URL = "https://huggingface.co";

export function hubEnvironment(env: NodeJS.ProcessEnv = process.env): HubEnvironment {
  return {
    cacheDir: expandHome(env["HF_HUB_CACHE"] || env["HUGGINGFACE_HUB_CACHE"] || join(hubHome(env), "hub")),
    hubUrl: (env["HF_ENDPOINT"] || DEFAULT_HUB_URL).replace(/\/+$/, ""),
    offline: isTrue(env["HF_HUB_OFFLINE"] || env["TRANSFORMERS_OFFLINE"]),
  };
}

/** The access token for gated models: HF_TOKEN, else the file that `hf auth login` writes. Never put it into a message or a log line. */
export async function hubToken(env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const given = env["HF_TOKEN"] || env["HUGGING_FACE_HUB_TOKEN"];
  if (given) return given.trim();
  const stored = await readFile(expandHome(env["HF_TOKEN_PATH"] || join(hubHome(env), "token")), "utf8").catch(() => "");
  return stored.trim() || undefined;
}

function hubHome(env: NodeJS.ProcessEnv): string {
  return expandHome(env["HF_HOME"] || join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "huggingface"));
}

function expandHome(path: string): string {
  return path.replace(/^~(?=$|[/\\])/, homedir());
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && ["1", "on", "yes", "true"].includes(value.toLowerCase());
}
