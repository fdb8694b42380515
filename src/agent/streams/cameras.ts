import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DeskhandError } from "../../core/errors.js";
import { INSTALL_FFMPEG } from "./ffmpeg.js";

export interface Camera {
  /** What ffmpeg calls it: `/dev/video0` on Linux, its number on macOS. */
  id: string;
  name: string;
}

const SYSFS = "/sys/class/video4linux";
const LIST_TIMEOUT_MS = 20_000;

/** The cameras of this machine. @throws DeskhandError `dependency_missing` without ffmpeg on macOS, `not_implemented` on other systems. */
export async function listCameras(platform: NodeJS.Platform = process.platform): Promise<Camera[]> {
  if (platform === "linux") return v4l2Cameras(SYSFS);
  if (platform === "darwin") return avfoundationCameras(await avfoundationListing());
  throw new DeskhandError("not_implemented", `Expected Linux or macOS, whose cameras can be opened, but this is ${platform}. Give the address of a stream, or a file.`);
}

/** The camera of this id, number or name; the first one unless given. @throws DeskhandError `stream_unavailable` that lists those there are. */
export function chooseCamera(wanted: string | undefined, cameras: readonly Camera[]): Camera {
  const same = (text: string): boolean => text.toLowerCase() === wanted?.toLowerCase();
  const found = wanted === undefined ? cameras[0] : (cameras.find(({ id }) => id === wanted || id === `/dev/video${wanted}`) ?? cameras.find(({ name }) => same(name)));
  if (found !== undefined) return found;
  const what = wanted === undefined ? "a camera" : `the camera ${JSON.stringify(wanted)}`;
  if (cameras.length === 0) throw new DeskhandError("stream_unavailable", `Expected ${what} but this machine has none. Plug one in, or give the address of a stream (rtsp:, http:) or a file.`);
  throw new DeskhandError("stream_unavailable", `Expected ${what} but there ${cameras.length === 1 ? "is only" : "are only"} ${cameras.map(({ id, name }) => `${id} (${name})`).join(", ")}. Name one of them as camera:NAME.`);
}

/** Kernel names of devices that give pictures: a camera's further nodes (index 1 and up) give metadata. */
export async function v4l2Cameras(sysfs: string): Promise<Camera[]> {
  const nodes = (await readdir(sysfs).catch(() => [])).filter((name) => /^video\d+$/.test(name)).sort((a, b) => Number(a.slice(5)) - Number(b.slice(5)));
  const cameras: Camera[] = [];
  for (const node of nodes) {
    const read = (file: string): Promise<string> => readFile(join(sysfs, node, file), "utf8").then((text) => text.trim(), () => ""); // prettier-ignore
    if (!["", "0"].includes(await read("index"))) continue;
    cameras.push({ id: `/dev/${node}`, name: (await read("name")) || node });
  }
  return cameras;
}

/** From what ffmpeg prints of its devices: `[AVFoundation indev @ 0x1] [0] FaceTime HD Camera`, below the heading of videos. */
export function avfoundationCameras(listing: string): Camera[] {
  const cameras: Camera[] = [];
  let isVideo = false;
  for (const line of listing.split("\n")) {
    if (/AVFoundation (video|audio) devices:/.test(line)) isVideo = line.includes("video devices");
    const [, id, name] = /\] \[(\d+)\] (.+)$/.exec(line.trim()) ?? [];
    if (isVideo && id !== undefined && name !== undefined) cameras.push({ id, name });
  }
  return cameras;
}

/** ffmpeg ends with an error after it has listed them. */
function avfoundationListing(): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile("ffmpeg", ["-hide_banner", "-nostdin", "-f", "avfoundation", "-list_devices", "true", "-i", ""], { timeout: LIST_TIMEOUT_MS }, (error, _stdout, stderr) => {
      if ((error as NodeJS.ErrnoException | null)?.code === "ENOENT") reject(new DeskhandError("dependency_missing", `Expected ffmpeg, which opens cameras, but it is not installed. Install it ${INSTALL_FFMPEG}.`, { cause: error }));
      else resolve(stderr);
    });
  });
}
