import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { describe as describeMissing, installCommands, packageManager } from "../../scripts/setup/packages.js";
import { isPresent, PIP, requirementsOf } from "../../scripts/setup/requirements.js";
import { failureText } from "../../scripts/setup/report.js";
import { run, which } from "../../scripts/setup/run.js";

type Group = Parameters<typeof requirementsOf>[0][number];
const ALL: Group[] = ["build", "fetch", "desktop", "demo", "test"];
const on = (platform: NodeJS.Platform, groups = ALL) => requirementsOf(groups, platform);
const named = (...names: string[]) => on("linux").filter((requirement) => names.includes(requirement.name));

describe("what the system needs", () => {
  it("is known by its Debian package, which Debian has", () => {
    const names = [...on("linux"), PIP].flatMap((requirement) => requirement.packages.apt.split(" "));
    expect(names).toEqual(expect.arrayContaining(["xvfb", "openbox", "zenity", "imagemagick", "libopenblas0-pthread", "cmake", "g++"]));
    if (packageManager() !== "apt") return;
    const known = execFileSync("dpkg-query", ["-W", "-f=${Package}\n"], { encoding: "utf8" }).split("\n");
    // Set up by this very list: what the tests run with was installed under these names.
    for (const requirement of named("zenity", "Xvfb", "openbox")) expect(known).toContain(requirement.packages.apt);
  });

  it("differs by purpose and by platform", () => {
    expect(on("linux", ["build"]).map((requirement) => requirement.name)).not.toContain("Xvfb");
    expect(on("darwin").map((requirement) => requirement.name)).toEqual(["cmake", "a C++ compiler", "make", "python3"]);
  });

  it("is found by commands, libraries and files", () => {
    expect(isPresent({ ...PIP, commands: ["sh"] })).toBe(true);
    expect(isPresent({ ...PIP, commands: ["sh", "no-such-command"] })).toBe(false);
    expect(isPresent({ ...PIP, libraries: ["libc.so.6", "nothing.so"] })).toBe(process.platform === "linux");
    expect(isPresent({ ...PIP, libraries: ["nothing.so"] })).toBe(false);
    expect(isPresent({ ...PIP, paths: ["/nowhere", "/"] })).toBe(true);
    expect(isPresent({ ...PIP, python: ["json/__init__.py"] })).toBe(process.platform === "linux");
    expect(isPresent({ ...PIP, python: ["json/__init__.py", "nothing"] })).toBe(false);
  });
});

describe("the command that mends it", () => {
  const missing = named("cmake", "a C++ compiler", "Xvfb");

  it("is the package manager's own", () => {
    expect(installCommands(missing, { platform: "linux", manager: "apt", root: true })).toEqual(["apt-get install --no-install-recommends -y cmake g++ xvfb"]);
    expect(installCommands(missing, { platform: "linux", manager: "dnf", root: false })).toEqual(["sudo dnf install cmake gcc-c++ xorg-x11-server-Xvfb"]);
    expect(installCommands(missing, { platform: "linux", manager: "pacman", root: false })).toEqual(["sudo pacman -S cmake gcc xorg-server-xvfb"]);
  });

  it("is Homebrew and Apple's tools on a Mac, each once", () => {
    expect(installCommands([...on("darwin"), PIP], { platform: "darwin" })).toEqual(["brew install cmake", "xcode-select --install", "python3 -m ensurepip"]);
  });

  it("names what is missing where no package manager is known", () => {
    expect(packageManager(() => false)).toBeUndefined();
    expect(packageManager((command: string) => command === "pacman")).toBe("pacman");
    expect(packageManager((command: string) => command === "apt-get")).toBeUndefined(); // macOS has had one of that name
  });

  it("comes with the reason, and with how to do without", () => {
    expect(describeMissing(named("OpenBLAS", "cmake"))).toEqual([
      "cmake     builds the native addon",
      "OpenBLAS  runs f32 matrix products on the CPU some 85 times as fast (without it: everything works, slowly)",
    ]);
  });
});

describe("a command of the set-up that fails", () => {
  it("is reported with the beginning and the end of its output, and with what mends it", async () => {
    const failure: unknown = await run("sh", ["-c", "seq 1 100; echo the reason >&2; exit 3"], { mend: "npm ci" }).catch((error: unknown) => error);
    const text = failureText(failure as Error);
    expect(text).toContain("ended with exit code 3");
    expect(text).toContain("  1\n  2\n");
    expect(text).toContain("  100\n  the reason\nTo mend it:\n  npm ci");
    expect(text).not.toContain("\n  50\n");
  });

  it("that does not exist is named", async () => {
    await expect(run("no-such-command", ["--version"])).rejects.toThrow(/Expected to run `no-such-command --version` .*ENOENT/);
    expect(which("no-such-command")).toBeUndefined();
    expect(which("sh")).toMatch(/\/sh$/);
  });
});
