import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkMacosAddon, readMachO } from "../../scripts/setup/mach-o.js";

/** A Mach-O file by <mach-o/loader.h>: a header, one LC_LOAD_DYLIB for each library, one LC_SYMTAB. */
function machO({ magic = 0xfeedfacf, cpu = 0x0100000c, type = 6, libraries = ["@rpath/libmlx.dylib"], symbols = [] as { name: string; type: number; ordinal: number }[] } = {}): Buffer {
  const loads = libraries.map((name) => {
    const size = Math.ceil((24 + name.length + 1) / 8) * 8;
    const command = Buffer.alloc(size);
    [0xc, size, 24].forEach((value, index) => command.writeUInt32LE(value, index * 4));
    command.write(name, 24);
    return command;
  });
  const start = 32 + loads.reduce((sum, load) => sum + load.length, 0) + 24;
  const strings = Buffer.from(`\0${symbols.map((symbol) => `${symbol.name}\0`).join("")}`);
  const table = Buffer.alloc(symbols.length * 16);
  let name = 1;
  symbols.forEach((symbol, index) => {
    table.writeUInt32LE(name, index * 16);
    table.writeUInt8(symbol.type, index * 16 + 4);
    table.writeUInt16LE(symbol.ordinal << 8, index * 16 + 6);
    name += symbol.name.length + 1;
  });
  const symtab = Buffer.alloc(24);
  [0x2, 24, start, symbols.length, start + table.length, strings.length].forEach((value, index) => symtab.writeUInt32LE(value, index * 4));
  const header = Buffer.alloc(32);
  [magic, cpu, 0, type, loads.length + 1, start - 32].forEach((value, index) => header.writeUInt32LE(value, index * 4));
  return Buffer.concat([header, ...loads, symtab, table, strings]);
}

const UNDEFINED = 0x1;
const napi = { name: "_napi_create_object", type: UNDEFINED, ordinal: 0xfe };

describe("the addon for macOS", () => {
  it("is read: its libraries, and the symbols that are in none of them", () => {
    const symbols = [napi, { name: "_malloc", type: UNDEFINED, ordinal: 2 }, { name: "_ours", type: 0xf, ordinal: 0 }, { name: "_napi_by_zig", type: UNDEFINED, ordinal: 0 }];
    expect(readMachO(machO({ libraries: ["@rpath/libmlx.dylib", "/usr/lib/libSystem.B.dylib"], symbols }))).toEqual({
      libraries: ["@rpath/libmlx.dylib", "/usr/lib/libSystem.B.dylib"],
      lookedUp: ["_napi_create_object", "_napi_by_zig"],
    });
  });

  it.each([
    ["an ELF file", Buffer.concat([Buffer.from("\x7fELF"), Buffer.alloc(60)]), /64-bit Mach-O/],
    ["an empty file", Buffer.alloc(0), /64-bit Mach-O/],
    ["another processor", machO({ cpu: 0x01000007 }), /arm64/],
    ["a program", machO({ type: 2 }), /library or bundle/],
  ])("is not %s", (_name, bytes, message) => {
    expect(() => readMachO(bytes)).toThrow(message);
  });

  it("must load MLX, and may leave only N-API to Node", () => {
    const folder = mkdtempSync(join(tmpdir(), "deskhand-macho-"));
    const file = join(folder, "deskhand.node");
    try {
      writeFileSync(file, machO({ symbols: [napi] }));
      expect(() => checkMacosAddon(file)).not.toThrow();
      writeFileSync(file, machO({ libraries: ["/usr/lib/libSystem.B.dylib"] }));
      expect(() => checkMacosAddon(file)).toThrow("it loads /usr/lib/libSystem.B.dylib");
      writeFileSync(file, machO({ symbols: [napi, { name: "__ZN3mlx4core5Event4waitEv", type: UNDEFINED, ordinal: 0 }] }));
      expect(() => checkMacosAddon(file)).toThrow("in none:\n__ZN3mlx4core5Event4waitEv");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
