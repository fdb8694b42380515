import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { SetupError } from "./errors.js";
import { isPresent, PIP, requirementsOf } from "./requirements.js";
import { run, which } from "./run.js";

/** @typedef {import("./requirements.js").Requirement} Requirement */

/** Commands that install packages, by package manager. */
const INSTALL = {
  apt: "apt-get install --no-install-recommends -y",
  dnf: "dnf install",
  pacman: "pacman -S",
  zypper: "zypper install",
};

/** The requirements of these groups that are not there. @param {import("./requirements.js").Group[]} groups */
export function missingOf(groups) {
  return requirementsOf(groups).filter((requirement) => !isPresent(requirement));
}

/** Whether `python3 -m pip` works. */
export async function pipWorks() {
  if (which("python3") === undefined) return false;
  try {
    await run("python3", ["-m", "pip", "--version"]);
    return true;
  } catch {
    return false;
  }
}

/** @returns {"apt" | "dnf" | "pacman" | "zypper" | undefined} */
export function packageManager(has = (command) => which(command) !== undefined) {
  if (has("apt-get") && has("dpkg")) return "apt";
  return /** @type {const} */ (["dnf", "pacman", "zypper"]).find((name) => has(name));
}

/**
 * The commands that install what is missing, for a person to run.
 * @param {Requirement[]} missing
 * @param {{ platform?: string, manager?: ReturnType<typeof packageManager>, root?: boolean }} system
 * @returns {string[]}
 */
export function installCommands(missing, { platform = process.platform, manager = packageManager(), root = process.getuid?.() === 0 } = {}) {
  if (platform === "darwin") return [...new Set(missing.flatMap((requirement) => requirement.macos ?? []))];
  if (manager === undefined) return [`install with your package manager: ${missing.map((requirement) => requirement.name).join(", ")}`];
  const names = missing.map((requirement) => requirement.packages[manager]).join(" ");
  return [`${root ? "" : "sudo "}${INSTALL[manager]} ${names}`];
}

/** One line for each requirement: its name, why it is needed, and how to do without. @param {Requirement[]} missing */
export function describe(missing) {
  const width = Math.max(...missing.map((requirement) => requirement.name.length));
  return missing.map(({ name, why, without }) => `${name.padEnd(width)}  ${why}${without === undefined ? "" : ` (without it: ${without})`}`);
}

/**
 * Installs what is missing with apt-get where that is allowed; elsewhere names it and how to get it.
 * @param {Requirement[]} missing
 * @param {import("./report.js").Reporter} report
 * @returns {Promise<Requirement[]>} what is still missing and can be done without
 * @throws {SetupError} when something without which nothing goes stays missing
 */
export async function ensurePackages(missing, report) {
  const prefix = await aptPrefix();
  report.note(`These are missing on this system:`);
  for (const line of describe(missing)) report.note(`  ${line}`);
  if (prefix !== undefined) {
    report.note(`Installing ${missing.map((requirement) => requirement.packages.apt).join(", ")} with apt-get. (DESKHAND_NO_APT=1 leaves the system as it is.)`);
    await report.phase("Debian packages", (progress) => aptInstall(missing, prefix, progress));
  }
  const left = prefix === undefined ? missing : missing.filter((requirement) => requirement !== PIP && !isPresent(requirement));
  if (left.length === 0) return left;
  const commands = installCommands(left);
  const needed = left.filter((requirement) => requirement.without === undefined);
  const names = (list) => list.map((requirement) => requirement.name).join(", ");
  if (needed.length > 0) throw new SetupError(`Expected to find ${names(needed)} on this system.`, { mend: commands.join("\n") });
  report.note(`Going on without ${names(left)}. To install: ${commands.join("; ")}`);
  return left;
}

/** How apt-get may be called here: with nothing (root), with sudo, or not at all (`undefined`). */
async function aptPrefix() {
  if (packageManager() !== "apt" || process.env.DESKHAND_NO_APT) return undefined;
  if (process.getuid?.() === 0) return [];
  if (which("sudo") === undefined) return undefined;
  try {
    await run("sudo", ["-n", "true"]);
    return ["sudo", "-n"];
  } catch {
    // It wants a password: ask now, before a progress line is in the way, and only where somebody can type it.
    if (!process.stdin.isTTY) return undefined;
    return spawnSync("sudo", ["-v"], { stdio: "inherit" }).status === 0 ? ["sudo"] : undefined;
  }
}

async function aptInstall(missing, prefix, progress) {
  const names = missing.flatMap((requirement) => requirement.packages.apt.split(" "));
  const options = { uninterruptible: true, tty: prefix[0] === "sudo" && prefix.length === 1, mend: installCommands(missing).join("\n") };
  const apt = async (...args) => {
    // `env`: sudo drops the environment it is called with.
    const [command, ...rest] = [...prefix, "env", "DEBIAN_FRONTEND=noninteractive", ...args];
    await run(command, rest, { ...options, onLine: (line) => /^(Get|Unpacking|Setting up)/.test(line) && progress(line.slice(0, 60)) });
  };
  if (dpkgWasInterrupted()) await apt("dpkg", "--configure", "-a");
  const wait = ["-o", "DPkg::Lock::Timeout=300"];
  await apt("apt-get", "update");
  await apt("apt-get", ...wait, "install", "-y", "--no-install-recommends", ...names);
}

/** dpkg keeps its unfinished work here and refuses anything else until it is done. */
function dpkgWasInterrupted() {
  try {
    return readdirSync("/var/lib/dpkg/updates").length > 0;
  } catch {
    return false;
  }
}
