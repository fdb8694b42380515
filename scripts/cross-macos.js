// Compiles and links the addon for macOS on arm64 from Linux, against the libmlx.dylib that Macs use: it keeps the Mac
// build honest where no Mac is at hand. `npm test` runs it; only what changed is compiled again.
import { existsSync, readdirSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { underLock } from "./setup/ensure-ready.js";
import { SetupError } from "./setup/errors.js";
import { checkMacosAddon } from "./setup/mach-o.js";
import { BUILD, ROOT } from "./setup/paths.js";
import { failureText, Reporter } from "./setup/report.js";
import { run } from "./setup/run.js";
import { fingerprint, isStamped, writeStamp } from "./setup/stamp.js";
import { installWheels, isUnpacked, readLock } from "./setup/wheel.js";

const FOLDER = join(BUILD, "macos");
const MLX = join(FOLDER, "mlx");
const ZIG = join(BUILD, "tools", "zig");
const OUTPUT = join(FOLDER, "deskhand.node");
const SOURCES = join(ROOT, "native", "src");

/** Of the wheel, what compiling and linking needs: the Metal kernels stay out. */
const MLX_PARTS = ["mlx/include/", "mlx/lib/libmlx.dylib", "mlx/lib/libjaccl.dylib"];

/** The oldest macOS that MLX's wheels run on. */
const TARGET = "aarch64-macos.14.0";

/** Compiles what changed, links, and checks the result. @param {Reporter} report @returns {Promise<string>} the addon */
export async function crossMacos(report) {
  const lock = await readLock();
  const zig = lock.tools.zig.find((entry) => entry.platform === process.platform && entry.arch === process.arch);
  if (zig === undefined) throw new SetupError(`The macOS build is checked on Linux (x86_64 and arm64); this is ${process.platform} ${process.arch}.`, { mend: "npm run build:native, which builds for this machine" });
  const oldest = lock.backends.metal.reduce((a, b) => (a.minimumMacos < b.minimumMacos ? a : b));
  const flags = compileFlags();
  const print = fingerprint({ files: [SOURCES, ...FACES.map((name) => packageJson(name))], values: [flags, zig.wheels, oldest.wheels] });
  if (existsSync(OUTPUT) && isStamped("macos", print)) return OUTPUT;
  return underLock(report, async () => {
    if (!(await isUnpacked(ZIG, zig.wheels))) await report.phase("Cross compiler", (onProgress) => installWheels(zig.wheels, ZIG, { onProgress }));
    if (!(await isUnpacked(MLX, oldest.wheels, MLX_PARTS))) await report.phase("MLX for macOS", (onProgress) => installWheels(oldest.wheels, MLX, { only: MLX_PARTS, onProgress }));
    await report.phase("Addon for macOS", (progress) => build(flags, [zig.wheels, oldest.wheels], progress));
    writeStamp("macos", print);
    return OUTPUT;
  });
}

/** The packages whose headers the addon includes. */
const FACES = ["node-api-headers", "node-addon-api"];

function packageJson(name) {
  return createRequire(join(ROOT, "package.json")).resolve(`${name}/package.json`);
}

/** The flags of native/CMakeLists.txt for this target. */
function compileFlags() {
  const [nodeApi, addonApi] = FACES.map((name) => dirname(packageJson(name)));
  return [
    "-target", TARGET, "-std=c++20", "-O3", "-fPIC", "-fvisibility=hidden", "-fvisibility-inlines-hidden", "-Wall", "-Wextra", "-Wno-unused-parameter",
    "-DNAPI_VERSION=9", "-DNAPI_CPP_EXCEPTIONS", "-DNODE_GYP_MODULE_NAME=deskhand", '-DDESKHAND_BACKEND="metal"',
    "-I", SOURCES, "-isystem", join(MLX, "mlx", "include"), "-isystem", join(nodeApi, "include"), "-isystem", addonApi,
  ]; // prettier-ignore
}

async function build(flags, wheels, progress) {
  const sources = sourceFiles();
  const headers = readdirSync(SOURCES, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && !entry.name.endsWith(".cc")).map((entry) => join(entry.parentPath, entry.name)); // prettier-ignore
  const objects = sources.map((source) => ({ source, object: join(FOLDER, "objects", `${basename(source)}.${fingerprint({ files: [source, ...headers], values: [flags, wheels] }).slice(0, 16)}.o`) }));
  await mkdir(join(FOLDER, "objects"), { recursive: true });
  let done = 0;
  const queue = objects.filter(({ object }) => !existsSync(object));
  const total = queue.length;
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      progress(`${done} of ${total} files, now ${basename(next.source)}`);
      await zigRun([...flags, "-c", next.source, "-o", `${next.object}.${process.pid}`]);
      await rename(`${next.object}.${process.pid}`, next.object);
      done++;
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  const current = new Set(objects.map(({ object }) => basename(object)));
  for (const name of readdirSync(join(FOLDER, "objects"))) if (!current.has(name)) await rm(join(FOLDER, "objects", name));
  progress("linking");
  const partial = `${OUTPUT}.${process.pid}`;
  try {
    const rpath = "-Wl,-rpath,@loader_path/../mlx/metal/mlx/lib";
    await zigRun(["-target", TARGET, "-shared", ...objects.map(({ object }) => object), "-L", join(MLX, "mlx", "lib"), "-lmlx", "-Wl,-undefined,dynamic_lookup", rpath, "-o", partial]);
    checkMacosAddon(partial);
    await rename(partial, OUTPUT);
  } finally {
    await rm(partial, { force: true });
  }
}

/** As in CMakeLists.txt: the primitives in cpu/ are not for macOS. */
function sourceFiles() {
  return readdirSync(SOURCES)
    .filter((name) => name.endsWith(".cc"))
    .map((name) => join(SOURCES, name))
    .sort();
}

function zigRun(args) {
  const cache = join(FOLDER, "zig-cache");
  return run(join(ZIG, "ziglang", "zig"), ["c++", ...args], { env: { ZIG_GLOBAL_CACHE_DIR: cache, ZIG_LOCAL_CACHE_DIR: cache }, mend: "mend what the compiler names; `node scripts/cross-macos.js` tries again" });
}

if (process.argv[1] === import.meta.filename) {
  try {
    console.log(await crossMacos(new Reporter()));
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(failureText(error));
    process.exitCode = 1;
  }
}
