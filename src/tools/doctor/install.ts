import { findProgram } from "../../core/programs.js";

/** A program's package, where it is called otherwise than the program. */
export interface Packages {
  apt: string;
  dnf?: string;
  pacman?: string;
  zypper?: string;
  brew?: string;
}

const MANAGERS = [
  { program: "apt-get", install: "apt-get install -y", key: "apt", needsRoot: true },
  { program: "dnf", install: "dnf install -y", key: "dnf", needsRoot: true },
  { program: "pacman", install: "pacman -S --noconfirm", key: "pacman", needsRoot: true },
  { program: "zypper", install: "zypper install -y", key: "zypper", needsRoot: true },
  { program: "brew", install: "brew install", key: "brew", needsRoot: false },
] as const;

/** The command that installs packages with the manager this system has. */
export function installCommand(packages: Packages, has: (program: string) => boolean = (program) => findProgram(program) !== undefined, isRoot = process.getuid?.() === 0): string {
  const manager = MANAGERS.find(({ program }) => has(program));
  if (!manager) return `install ${packages.apt} with your system's package manager`;
  return `${manager.needsRoot && !isRoot ? "sudo " : ""}${manager.install} ${packages[manager.key] ?? packages.apt}`;
}
