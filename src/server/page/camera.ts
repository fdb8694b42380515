import type { Picture } from "./conversation.js";
import { closeDevice, openDevice } from "./devices.js";
import { part } from "./dom.js";
import { pictureOf } from "./pictures.js";

/** The dialog that shows the camera; it gives the picture taken, or undefined. @throws Problem when there is no camera. */
export async function takePicture(): Promise<Picture | undefined> {
  const dialog = part("camera", HTMLDialogElement);
  const video = part("camera-video", HTMLVideoElement);
  const stream = await openDevice("video");
  try {
    video.srcObject = stream;
    dialog.returnValue = "";
    dialog.showModal();
    await Promise.all([new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true })), video.play().catch(() => undefined)]);
    return dialog.returnValue === "take" && video.videoWidth > 0 ? pictureOf(video) : undefined;
  } finally {
    video.srcObject = null;
    closeDevice(stream);
  }
}
