import { readFileSync } from "node:fs";
import { SetupError } from "./errors.js";

// <mach-o/loader.h> and <mach-o/nlist.h>
const MAGIC_64 = 0xfeedfacf;
const CPU_ARM64 = 0x0100000c;
const TYPES = { 6: "dylib", 8: "bundle" };
const LC_SYMTAB = 0x2;
const LC_LOAD_DYLIB = 0xc;
const HEADER_BYTES = 32;
const NLIST_BYTES = 16;
const N_STAB = 0xe0;
const N_TYPE = 0x0e;
/** Ordinals that name no library: what Apple's linker writes for `-undefined dynamic_lookup`, and what zig's writes. */
const NO_LIBRARY = [0xfe, 0];

/**
 * What a Mach-O library for arm64 asks of others.
 * @param {Buffer} bytes
 * @returns {{ libraries: string[], lookedUp: string[] }} the libraries it loads, and the symbols that are in none of them
 *   and are looked for in the whole process when it is loaded (for an addon: those of Node)
 */
export function readMachO(bytes) {
  const [magic, cpu, , type, commands] = [0, 4, 8, 12, 16].map((offset) => (bytes.length < HEADER_BYTES ? 0 : bytes.readUInt32LE(offset)));
  if (magic !== MAGIC_64) throw new SetupError(`Expected a 64-bit Mach-O file but its first bytes are 0x${magic.toString(16)}.`);
  if (cpu !== CPU_ARM64) throw new SetupError(`Expected a Mach-O file for arm64 but its processor type is 0x${cpu.toString(16)}.`);
  if (TYPES[type] === undefined) throw new SetupError(`Expected a Mach-O library or bundle but its file type is ${type}.`);
  const libraries = [];
  let lookedUp = [];
  let offset = HEADER_BYTES;
  for (let index = 0; index < commands; index++) {
    const command = bytes.readUInt32LE(offset);
    if (command === LC_LOAD_DYLIB) libraries.push(textAt(bytes, offset + bytes.readUInt32LE(offset + 8)));
    if (command === LC_SYMTAB) lookedUp = lookedUpSymbols(bytes, offset);
    offset += bytes.readUInt32LE(offset + 4);
  }
  return { libraries, lookedUp };
}

function lookedUpSymbols(bytes, command) {
  const [symbols, count, strings] = [8, 12, 16].map((field) => bytes.readUInt32LE(command + field));
  const names = [];
  for (let index = 0; index < count; index++) {
    const entry = symbols + index * NLIST_BYTES;
    const type = bytes[entry + 4];
    const isUndefined = (type & N_STAB) === 0 && (type & N_TYPE) === 0;
    const library = bytes.readUInt16LE(entry + 6) >> 8;
    if (isUndefined && NO_LIBRARY.includes(library)) names.push(textAt(bytes, strings + bytes.readUInt32LE(entry)));
  }
  return names;
}

/** Throws unless the file is an arm64 library that loads MLX by rpath and leaves only N-API's symbols to Node. */
export function checkMacosAddon(path) {
  const { libraries, lookedUp } = readMachO(readFileSync(path));
  if (!libraries.includes("@rpath/libmlx.dylib")) throw new SetupError(`Expected ${path} to load @rpath/libmlx.dylib but it loads ${libraries.join(", ") || "nothing"}.`);
  const strangers = lookedUp.filter((name) => !/^_(napi|node_api)_/.test(name));
  if (strangers.length > 0) throw new SetupError(`Expected every symbol of the addon in libmlx.dylib, in macOS or in N-API, but these are in none:\n${strangers.join("\n")}`, { mend: "use only what MLX exports on every platform, or guard it with #ifdef __linux__" });
}

function textAt(bytes, offset) {
  return bytes.toString("utf8", offset, bytes.indexOf(0, offset));
}
