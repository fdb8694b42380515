import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** A server under measurement, in a process of its own on a loopback address. */
export interface Server {
  name: string;
  url: string;
  /** What requests call the model. */
  model: string;
  stop: () => Promise<void>;
}

interface Peer {
  name: string;
  packages: () => string[];
  args: (model: string, port: string) => string[];
}

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PEERS: readonly Peer[] = [
  { name: "mlx-vlm", packages: pinnedPackages, args: (model, port) => ["-m", "mlx_vlm.server", "--model", model, "--host", "127.0.0.1", "--port", port] },
  { name: "vllm-mlx", packages: () => ["vllm-mlx==0.6.0", "mlx[cpu]"], args: (model, port) => ["-m", "vllm_mlx.cli", "serve", model, "--host", "127.0.0.1", "--port", port, "--continuous-batching", "--mllm"] },
];
/** The command as it was compiled: the set-up is done. */
const COMMAND = `import { main } from ${JSON.stringify(new URL("../dist/tools/cli.js", import.meta.url).href)}; process.exitCode = await main(process.argv.slice(1));`;
const OPENBLAS = "/usr/lib/x86_64-linux-gnu/libopenblas.so.0";
const START_TIMEOUT_MS = 300_000;

/** Those of training/requirements.txt that mlx-vlm runs with. */
function pinnedPackages(): string[] {
  const wanted = /^(mlx|mlx-cpu|mlx-lm|mlx-vlm|transformers|tokenizers|huggingface_hub|Jinja2|numpy|pillow|torch|torchvision)==/;
  return readFileSync(join(ROOT, "training", "requirements.txt"), "utf8").split("\n").filter((line) => wanted.test(line));
}

export async function ourServer(model: string): Promise<Server> {
  return started("deskhand", model, (port) => [process.execPath, "--input-type=module", "-e", COMMAND, "serve", "--model", model, "--port", String(port)]);
}

/** Those that install here. */
export async function peerServers(model: string): Promise<Server[]> {
  const servers: Server[] = [];
  for (const peer of PEERS) {
    const bin = join(ROOT, "build", `bench-${peer.name}`, "bin");
    try {
      if (!existsSync(join(bin, "installed"))) await install(bin, peer.packages());
      servers.push(await started(peer.name, model, (port) => [join(bin, "python"), ...peer.args(model, String(port))]));
    } catch (error) {
      process.stderr.write(`${peer.name} is left out: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
  return servers;
}

/** Into a virtual environment of its own: peers want different versions of the same packages. */
async function install(bin: string, packages: readonly string[]): Promise<void> {
  await run("python3", ["-m", "venv", "--clear", join(bin, "..")]);
  await run(join(bin, "python"), ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...packages]);
  writeFileSync(join(bin, "installed"), packages.join("\n"));
}

async function started(name: string, model: string, command: (port: number) => [string, ...string[]]): Promise<Server> {
  const port = await freePort();
  const [program, ...args] = command(port);
  // MLX's own wheel comes with a BLAS that is dozens of times slower on CPUs, which would be all that is measured.
  const blas = name !== "deskhand" && existsSync(OPENBLAS) ? { LD_PRELOAD: OPENBLAS } : {};
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, HF_HUB_OFFLINE: "1", ...blas } });
  // A benchmark that fails in a way it does not expect leaves no server behind.
  const end = (): void => void child.kill("SIGTERM");
  process.once("exit", end);
  child.once("exit", () => process.off("exit", end));
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-2000)));
  const url = `http://127.0.0.1:${port}`;
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!(await answers(url))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      await stop(child);
      throw new Error(`Expected ${name} to answer at ${url} but it did not: ${said}`);
    }
    await delay(200);
  }
  return { name, url, model, stop: () => stop(child) };
}

async function answers(url: string): Promise<boolean> {
  return fetch(`${url}/v1/models`).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await gone;
  clearTimeout(timer);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
