import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { z } from "zod";
import { messageOf } from "../../core/errors.js";
import type { Check } from "./check.js";

/** Asked by a program that every Mac has; the answers are those for the terminal it is started from. None of them makes the system ask. */
const SCRIPT = `
ObjC.import("AVFoundation");
ObjC.bindFunction("CGPreflightScreenCaptureAccess", ["bool", []]);
ObjC.bindFunction("AXIsProcessTrusted", ["bool", []]);
JSON.stringify({
  screen: Boolean($.CGPreflightScreenCaptureAccess()),
  accessibility: Boolean($.AXIsProcessTrusted()),
  microphone: Number($.AVCaptureDevice.authorizationStatusForMediaType($.AVMediaTypeAudio)),
});`;

/** AVAuthorizationStatus. */
const MICROPHONE = ["not asked yet", "forbidden by this Mac's administrator", "denied", "allowed"] as const;
const ALLOWED = 3;
const NOT_ASKED = 0;

const Answer = z.object({ screen: z.boolean(), accessibility: z.boolean(), microphone: z.number().int().min(0).max(3) });

const SETTINGS = "open 'x-apple.systempreferences:com.apple.preference.security?Privacy_";
const RESTART = "allow your terminal there, and start it again";

type RunScript = (script: string, signal: AbortSignal) => Promise<string>;
const osascript: RunScript = async (script, signal) => (await promisify(execFile)("osascript", ["-l", "JavaScript", "-e", script], { signal })).stdout;

/** What a Mac lets the terminal's programs do; other systems have no such permissions. */
export async function checkPermissions(platform: NodeJS.Platform, signal: AbortSignal, run: RunScript = osascript): Promise<Check[]> {
  if (platform !== "darwin") return [];
  let answer: z.infer<typeof Answer>;
  try {
    answer = Answer.parse(JSON.parse(await run(SCRIPT, signal)));
  } catch (error) {
    return [{ id: "permissions", title: "Permissions", status: "unknown", found: `could not be asked: ${messageOf(error)}`, mend: `${SETTINGS}ScreenCapture' and look for your terminal under Screen Recording, Accessibility and Microphone` }];
  }
  const permission = (id: string, title: string, isAllowed: boolean, pane: string): Check =>
    isAllowed ? { id, title, status: "ok", found: "allowed" } : { id, title, status: "fail", found: "not allowed for the program this was started from", mend: `${SETTINGS}${pane}' # ${RESTART}` };
  const { microphone } = answer;
  return [
    permission("screen_recording", "Screen recording", answer.screen, "ScreenCapture"),
    permission("accessibility", "Accessibility", answer.accessibility, "Accessibility"),
    {
      id: "microphone_permission",
      title: "Microphone access",
      status: microphone === ALLOWED ? "ok" : microphone === NOT_ASKED ? "unknown" : "warn",
      found: MICROPHONE[microphone]!,
      ...(microphone !== ALLOWED && { mend: microphone === NOT_ASKED ? "deskhand voice # the system asks at the first recording" : `${SETTINGS}Microphone' # ${RESTART}` }),
    },
  ];
}
