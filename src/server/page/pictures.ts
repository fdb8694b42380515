import type { Picture } from "./conversation.js";
import { Problem } from "./problems.js";

/** Formats that every server reads; others are drawn anew as PNG, where the browser can show them. */
const SENT_AS_THEY_ARE = ["image/png", "image/jpeg", "image/webp", "image/gif"];
/** Below the server's limit for one picture, with room for base64. */
const MAX_BYTES = 12 * 2 ** 20;
/** More pixels than models look at. */
const MAX_SIDE_PX = 4096;

/** A file as a picture to send. @throws Problem when it is none. */
export async function readPicture(file: File): Promise<Picture> {
  const name = file.name === "" ? "picture" : file.name;
  if (SENT_AS_THEY_ARE.includes(file.type) && file.size <= MAX_BYTES) return { name, url: await dataUrl(file) };
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Problem(`${name} is no picture that this browser can read.`, "Take PNG, JPEG, WebP or GIF.");
  }
  const url = drawn(bitmap, bitmap.width, bitmap.height);
  bitmap.close();
  return { name, url };
}

/** What a camera shows now. */
export function pictureOf(video: HTMLVideoElement): Picture {
  return { name: "camera.jpg", url: drawn(video, video.videoWidth, video.videoHeight, "image/jpeg") };
}

function drawn(source: CanvasImageSource, widthPx: number, heightPx: number, type = "image/png"): string {
  const scale = Math.min(1, MAX_SIDE_PX / Math.max(widthPx, heightPx));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(widthPx * scale);
  canvas.height = Math.round(heightPx * scale);
  canvas.getContext("2d")?.drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL(type, 0.92);
}

function dataUrl(file: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(new Problem("The picture could not be read.", "Choose it again."));
    reader.readAsDataURL(file);
  });
}
