import { mkdir, readFile, rename, rm, statfs, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { downloadFile, HubApiError, listFiles, modelInfo } from "@huggingface/hub";
import { DeskhandError, messageOf, throwIfAborted } from "../../core/errors.js";
import type { OnProgress } from "../../core/progress.js";
import { describeAliases } from "./aliases.js";
import { repoFolder } from "./cache.js";
import { hubToken, type HubEnvironment } from "./environment.js";
import { fetchFile, type Digest } from "./fetch-file.js";
import { withLock } from "./lock.js";
import { INDEX_FILE, shardsOfIndex } from "./model-folder.js";
import { pathExists } from "./path-exists.js";

export interface DownloadOptions extends Pick<HubEnvironment, "cacheDir" | "hubUrl"> {
  signal?: AbortSignal;
  onProgress?: OnProgress;
}

interface HubFile {
  path: string;
  sizeBytes: number;
  digest: Digest;
}

/** Everything but weights that a model folder needs: configuration, tokenizer, chat template. */
const SUPPORT_FILE = /\.(json|jinja|txt|model)$/;
const HEX = /^[0-9a-f]{40,64}$/;
const PROGRESS_EVERY_MS = 100;

/**
 * Downloads a model from the hub into the Hugging Face cache, in the layout other tools read, and returns its snapshot folder. Only the files
 * an engine needs are fetched. An interrupted download goes on where it stopped; `refs/main` is written last, when everything is there.
 *
 * @throws DeskhandError `model_not_found`, `unauthorized`, `unsupported_model` (no safetensors), `engine_unavailable`, `invalid_model`, `cancelled`.
 */
export async function downloadSnapshot(id: string, { cacheDir, hubUrl, signal, onProgress }: DownloadOptions): Promise<string> {
  const hub = { hubUrl, fetch: await hubFetch(hubUrl, signal) };
  const repo = repoFolder(cacheDir, id);
  try {
    const { sha } = await modelInfo({ ...hub, name: id, revision: "main", additionalFields: ["sha"] });
    if (!HEX.test(sha)) throw new Error(`the hub names no commit for ${id}`);
    const files: HubFile[] = [];
    for await (const entry of listFiles({ ...hub, repo: id, revision: sha })) {
      const file = entry.type === "file" ? hubFile(entry) : undefined;
      if (file) files.push(file);
    }
    const lock = join(cacheDir, ".locks", `${relative(cacheDir, repo)}.deskhand.lock`);
    const onWait = (): void => onProgress?.({ phase: `waiting for another download of ${id}`, done: 0, unit: "bytes" });
    return await withLock(lock, { signal, onWait }, () => fetchSnapshot({ id, sha, repo, files, hub, signal, onProgress }));
  } catch (error) {
    throwIfAborted(signal);
    throw explain(error, id, hubUrl);
  }
}

interface Snapshot {
  id: string;
  sha: string;
  repo: string;
  files: HubFile[];
  hub: { hubUrl: string; fetch: typeof fetch };
  signal?: AbortSignal;
  onProgress?: OnProgress;
}

async function fetchSnapshot({ id, sha, repo, files, hub, signal, onProgress }: Snapshot): Promise<string> {
  const dir = join(repo, "snapshots", sha);
  await Promise.all([mkdir(dir, { recursive: true }), mkdir(join(repo, "blobs"), { recursive: true }), mkdir(join(repo, "refs"), { recursive: true })]);

  const fetchOne = async (file: HubFile, onBytes: (bytes: number) => void): Promise<void> => {
    const blob = join(repo, "blobs", file.digest.hex);
    if (!(await pathExists(blob))) {
      const read = async (offset: number): Promise<AsyncIterable<Uint8Array>> => {
        // Plain ranges, not the chunk protocol (xet): only they can go on from any byte.
        const remote = await downloadFile({ ...hub, repo: id, revision: sha, path: file.path, xet: false }).catch((error: unknown) => {
          // Gated repositories list their files for everyone: only reading one is refused, and trying again does not help.
          if (error instanceof HubApiError && (error.statusCode === 401 || error.statusCode === 403)) throw gated(id, hub.hubUrl, error);
          throw error;
        });
        if (!remote) throw new Error(`${file.path} is not in ${id} any more`);
        return remote.slice(offset).stream();
      };
      await fetchFile({ name: `${file.path} of ${id}`, path: blob, sizeBytes: file.sizeBytes, digest: file.digest, read, onBytes, signal });
    }
    await link(blob, join(dir, file.path));
    onBytes(file.sizeBytes);
  };

  const index = files.find(({ path }) => path === INDEX_FILE);
  if (index) await fetchOne(index, () => undefined);
  const wanted = [...files.filter(({ path }) => SUPPORT_FILE.test(path)), ...weightFiles(id, files, index && (await readFile(join(dir, INDEX_FILE), "utf8")))];
  const total = wanted.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  await checkSpace(repo, wanted);

  let finished = 0;
  let reportedAtMs = 0;
  for (const file of wanted) {
    await fetchOne(file, (bytes) => {
      const last = finished + bytes === total;
      if (!last && Date.now() - reportedAtMs < PROGRESS_EVERY_MS) return;
      reportedAtMs = Date.now();
      onProgress?.({ phase: `downloading ${id}`, done: finished + bytes, total, unit: "bytes" });
    });
    finished += file.sizeBytes;
  }
  const ref = join(repo, "refs", "main");
  await writeFile(`${ref}.new`, sha);
  await rename(`${ref}.new`, ref);
  return dir;
}

/** Files of the repository's root only: subfolders hold other formats. Names and digests become paths here, so odd ones are left out. */
function hubFile({ path, size, oid, lfs }: { path: string; size: number; oid?: string; lfs?: { oid: string; size: number } }): HubFile | undefined {
  const digest: Digest | undefined = lfs ? { kind: "sha256", hex: lfs.oid } : oid === undefined ? undefined : { kind: "git-sha1", hex: oid };
  if (!digest || !HEX.test(digest.hex) || !/^[\w-][\w .+-]*$/.test(path)) return undefined;
  return { path, sizeBytes: lfs?.size ?? size, digest };
}

function weightFiles(id: string, files: HubFile[], index: string | undefined): HubFile[] {
  const named = index === undefined ? undefined : shardsOfIndex(index);
  const single = files.filter(({ path }) => path === "model.safetensors");
  const all = single.length > 0 ? single : files.filter(({ path }) => path.endsWith(".safetensors"));
  const weights = named ? files.filter(({ path }) => named.includes(path)) : all;
  if (weights.length > 0 && (!named || weights.length === named.length)) return weights;
  throw new DeskhandError("unsupported_model", `Expected safetensors weights in ${id} but ${named ? "some of those its index names are missing" : "there are none"}. Choose a repository in MLX or safetensors format, for example one of mlx-community.`);
}

async function checkSpace(repo: string, wanted: HubFile[]): Promise<void> {
  const present = await Promise.all(wanted.map(({ digest }) => pathExists(join(repo, "blobs", digest.hex))));
  const needed = wanted.reduce((sum, { sizeBytes }, i) => sum + (present[i] ? 0 : sizeBytes), 0);
  const { bavail, bsize } = await statfs(repo);
  if (bavail * bsize >= needed) return;
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new DeskhandError("internal", `Expected ${gigabytes(needed)} of free space in ${repo} but there is ${gigabytes(bavail * bsize)}. Free some, or set HF_HOME to a folder on another disk.`);
}

async function link(blob: string, pointer: string): Promise<void> {
  if (await pathExists(pointer)) return;
  await rm(pointer, { force: true });
  await symlink(relative(dirname(pointer), blob), pointer);
}

/** A fetch that can be cancelled, and that shows the access token to the hub alone, not to the servers it redirects to. */
async function hubFetch(hubUrl: string, signal: AbortSignal | undefined): Promise<typeof fetch> {
  const token = await hubToken();
  const origin = new URL(hubUrl).origin;
  return (input, init) => {
    const headers = new Headers(init?.headers);
    const url = input instanceof Request ? input.url : String(input);
    if (token !== undefined && new URL(url).origin === origin) headers.set("authorization", `Bearer ${token}`);
    return fetch(input, { ...init, headers, signal });
  };
}

function explain(error: unknown, id: string, hubUrl: string): DeskhandError {
  if (error instanceof DeskhandError) return error;
  const status = error instanceof HubApiError ? error.statusCode : undefined;
  if (status === 404 || status === 401) {
    return new DeskhandError(
      "model_not_found",
      `Expected a model named ${id} on ${hubUrl} but there is none, or it is private. Check the spelling, set HF_TOKEN for a private model, or use an alias: ${describeAliases()}.`,
      { cause: error, param: "model" },
    );
  }
  if (status === 403) return gated(id, hubUrl, error);
  const reason = error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
  return new DeskhandError("engine_unavailable", `Expected to download ${id} from ${hubUrl} but it failed: ${reason}. Check the network, or give a folder that holds the model.`, { cause: error });
}

function gated(id: string, hubUrl: string, cause: unknown): DeskhandError {
  return new DeskhandError("unauthorized", `Expected access to ${id} but ${hubUrl} refuses it: the model is gated. Accept its terms at ${hubUrl}/${id}, then set HF_TOKEN to a token of that account.`, { cause, param: "model" });
}
