import { copyFile, mkdir, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { availableParallelism, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { SetupError } from "./errors.js";
import { ADDON, BUILD, ROOT } from "./paths.js";
import { isPresent, requirementsOf } from "./requirements.js";
import { run } from "./run.js";
import { fingerprint } from "./stamp.js";

/** Memory that one compiler needs with MLX's headers. */
const BYTES_PER_COMPILER = 1.5e9;

/** Everything the addon depends on. @param {import("./mlx.js").Mlx} mlx */
export function nativePrint(mlx) {
  // Built anew when OpenBLAS comes or goes.
  const openblas = requirementsOf(["build"]).some((requirement) => requirement.libraries !== undefined && isPresent(requirement));
  const version = process.versions.node.split(".")[0];
  return fingerprint({ files: [join(ROOT, "native", "CMakeLists.txt"), join(ROOT, "native", "src")], values: [mlx.backend, mlx.wheels, version, process.platform, process.arch, openblas] });
}

/** Builds the addon (only what changed) and puts it in place in one step. @param {import("./mlx.js").Mlx} mlx */
export async function buildNative(mlx, onProgress) {
  // One tree for each MLX: the times in its wheels say nothing about what is newer.
  const tree = join(BUILD, "cmake", `${mlx.backend}-${mlx.wheels[0].sha256.slice(0, 12)}`);
  const configure = [
    "-S", join(ROOT, "native"), "-B", tree, "-G", "Unix Makefiles",
    `-DMLX_ROOT=${mlx.folder}`, `-DMLX_BACKEND=${mlx.backend}`,
    `-DNODE_API_INCLUDE_DIR=${join(packageFolder("node-api-headers"), "include")}`, `-DNODE_ADDON_API_DIR=${packageFolder("node-addon-api")}`,
  ]; // prettier-ignore
  const warnings = [];
  const mend = "npm run build:native (after mending what the log names)";
  onProgress?.("configuring");
  const output = await run("cmake", configure, { mend }).catch(async () => {
    // A tree from a checkout that was moved or copied is refused: begin anew before giving up.
    await rm(tree, { recursive: true, force: true });
    return run("cmake", configure, { mend });
  });
  const openblas = /CMake Warning[^\n]*\n\s*(OpenBLAS[\s\S]*?)\n\n/.exec(output);
  if (openblas !== null) warnings.push(openblas[1].replace(/\s+/g, " "));
  const jobs = Math.max(1, Math.min(availableParallelism(), Math.floor(totalmem() / BYTES_PER_COMPILER)));
  await run("cmake", ["--build", tree, "--parallel", String(jobs)], {
    mend,
    onLine: (line) => {
      const match = /^\[\s*(\d+)%\]\s+(?:Building \S+ object \S*\/)?(.*)/.exec(line);
      if (match !== null) onProgress?.(`${match[1]} % ${match[2].replace(/\.o$/, "")}`);
    },
  });
  await mkdir(dirname(ADDON), { recursive: true });
  // A running process keeps the file it has mapped; the new one takes its name in one step.
  const partial = `${ADDON}.${process.pid}`;
  try {
    await copyFile(join(tree, "deskhand.node"), partial);
    await checkLoads(partial, mlx);
    await rename(partial, ADDON);
  } finally {
    await rm(partial, { force: true });
  }
  return warnings;
}

/** Loads the addon in another process, so that a crash or a missing library is an error with a name. */
async function checkLoads(addon, mlx) {
  try {
    await run(process.execPath, ["-e", "process.dlopen({ exports: {} }, process.argv[1])", addon]);
  } catch (error) {
    const cuda = mlx.backend === "cuda" ? "; or set DESKHAND_BACKEND=cpu to do without the GPU" : "";
    throw new SetupError("The native addon was built but cannot be loaded.", { cause: error, log: error.log, mend: `rm -rf ${BUILD} and run the command again${cuda}` });
  }
}

function packageFolder(name) {
  return dirname(createRequire(join(ROOT, "package.json")).resolve(`${name}/package.json`));
}
