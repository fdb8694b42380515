import { Problem } from "./problems.js";

const NAMES = { video: "camera", audio: "microphone" } as const;

/** Asks for the camera or the microphone. @throws Problem that says why there is none, and what to do. */
export async function openDevice(kind: keyof typeof NAMES): Promise<MediaStream> {
  const name = NAMES[kind];
  // Typed as always there, but pages that are not secure have none.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (!devices) throw new Problem(`The browser does not give this page the ${name}.`, "It does so only over https, and to pages of this machine: open http://127.0.0.1 with the server's port.");
  try {
    return await devices.getUserMedia(kind === "video" ? { video: { facingMode: "environment", width: { ideal: 1920 } } } : { audio: true });
  } catch (error) {
    const reason = error instanceof DOMException ? error.name : "";
    if (reason === "NotAllowedError") throw new Problem(`The browser was not allowed to use the ${name}.`, "Allow it in the address bar, then try again.");
    if (reason === "NotFoundError" || reason === "OverconstrainedError") throw new Problem(`No ${name} was found.`, "Connect one, then try again.");
    if (reason === "NotReadableError") throw new Problem(`The ${name} cannot be used now.`, "Another program may be using it: close that, then try again.");
    throw new Problem(`The ${name} could not be opened.`, error instanceof Error ? error.message : "Try again.");
  }
}

export function closeDevice(stream: MediaStream | undefined): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
