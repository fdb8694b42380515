import { describe, expect, it } from "vitest";
import { chooseMlx, macosOfDarwin } from "../../scripts/setup/mlx.js";
import { parseWheelName, readLock } from "../../scripts/setup/wheel.js";

interface Entry {
  platform: string;
  arch: string;
  wheels: { file: string; sha256: string }[];
}
const lock = (await readLock()) as { mlx: string; backends: Record<string, Entry[]>; tools: Record<string, Entry[]> };
const linux = { platform: "linux", arch: "x64", wanted: "auto" };
const mac = { platform: "darwin", arch: "arm64", wanted: "auto", macos: 15 };

describe("the lock", () => {
  it("pins every wheel by file name and sha256, and every MLX wheel to one release", () => {
    const entries = [...Object.values(lock.backends).flat(), ...Object.values(lock.tools).flat()];
    for (const { file, sha256 } of entries.flatMap((entry) => entry.wheels)) {
      expect(sha256, file).toMatch(/^[0-9a-f]{64}$/);
      expect(parseWheelName(file).platform, file).toBeTruthy();
    }
    for (const [backend, entriesOf] of Object.entries(lock.backends)) {
      for (const { wheels } of entriesOf) expect(parseWheelName(wheels[0]?.file ?? ""), backend).toMatchObject({ version: lock.mlx });
    }
  });
});

describe("the choice of MLX", () => {
  it("is the CPU on Linux without a card, on both processors", () => {
    expect(chooseMlx(lock, linux)).toMatchObject({ backend: "cpu", wheels: [{ file: expect.stringContaining("x86_64") as string }] });
    expect(chooseMlx(lock, { ...linux, arch: "arm64" })).toMatchObject({ backend: "cpu", wheels: [{ file: expect.stringContaining("aarch64") as string }] });
  });

  it("is the newest CUDA that the driver runs, with the libraries MLX needs beside it", () => {
    const [first, ...others] = chooseMlx(lock, { ...linux, nvidiaDriver: 580 }).wheels.map((wheel) => wheel.file);
    expect(first).toContain("mlx_cuda_13");
    expect(others.join()).toMatch(/nvidia_cublas.*nvidia_cudnn.*nvidia_nccl/);
    expect(chooseMlx(lock, { ...linux, nvidiaDriver: 570 }).wheels[0]?.file).toContain("mlx_cuda_12");
    expect(chooseMlx(lock, { ...linux, nvidiaDriver: 470 }).backend).toBe("cpu");
    expect(chooseMlx(lock, { ...linux, nvidiaDriver: 580, wanted: "cpu" }).backend).toBe("cpu");
  });

  it("is the Metal build for the Mac's own system", () => {
    expect(chooseMlx(lock, mac).wheels[0]?.file).toContain("macosx_15_0");
    expect(chooseMlx(lock, { ...mac, macos: 27 }).wheels[0]?.file).toContain("macosx_26_0");
  });

  it.each([
    [{ ...linux, wanted: "cuda" }, /no MLX .* linux x64 with DESKHAND_BACKEND=cuda/, /no NVIDIA driver was found/],
    [{ ...linux, wanted: "gpu" }, /DESKHAND_BACKEND .* "gpu"/, /unset/],
    [{ ...mac, macos: 13 }, /darwin arm64/, /macOS 14/],
    [{ ...mac, arch: "x64" }, /darwin x64/, /Apple silicon/],
    [{ platform: "win32", arch: "x64", wanted: "auto" }, /win32 x64/, /WSL 2/],
  ])("says what to do on %o", (machine, message, mend) => {
    expect(() => chooseMlx(lock, machine)).toThrow(expect.objectContaining({ message: expect.stringMatching(message) as string, mend: expect.stringMatching(mend) as string }));
  });

  it("reads the macOS version from Darwin's", () => {
    expect(["23.6.0", "24.0.0", "25.1.0"].map((version) => macosOfDarwin(version))).toEqual([14, 15, 26]);
  });
});
