import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openComputer, type OpenedComputer } from "../../src/agent/computer/index.js";
import { startApplication, until } from "../support/desktop.js";

/**
 * `deskhand voice` as a user runs it, without hardware: the monitor of a null sink is the microphone, espeak-ng the person, and a GTK
 * dialog says by its exit code which button was pressed. Both models are the embedded ones. They know espeak-ng: the first two voices
 * are of the kind training drew from (accent and variant), the third speaks faster and in an accent without variant.
 */
const BIN = fileURLToPath(new URL("../../bin/deskhand.js", import.meta.url));
const VOICES = [["-v", "en-us", "-s", "160"], ["-v", "en-gb-x-rp+f3", "-s", "150"], ["-v", "en-gb-scotland", "-s", "175"]];
/** A task is two looks at the screen, each of some thousand rows: 5 s on two free cores, twenty on two that others use as well. Nothing is asserted of time. */
const TASK_LIMIT_MS = 300_000;
const LIMIT_MS = 60_000;

const run = promisify(execFile);
let home: string;
let desktop: OpenedComputer;
let sound: ChildProcess;
let soundWords = "";
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  // Whatever the checkout still has to build is built here.
  await run(process.execPath, [BIN, "--version"], { timeout: TASK_LIMIT_MS });
  home = await mkdtemp(join(tmpdir(), "deskhand-e2e-voice-"));
  desktop = await openComputer({ display: "virtual", widthPx: 640, heightPx: 480 });
  // A sound server of our own: its folder, its socket, its end.
  const own = { PULSE_RUNTIME_PATH: home, PULSE_STATE_PATH: home, PULSE_CONFIG_PATH: home, XDG_RUNTIME_DIR: home };
  const modules = ["module-null-sink sink_name=room rate=16000 channels=1", `module-native-protocol-unix socket=${home}/native auth-anonymous=1`];
  sound = spawn("pulseaudio", ["-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--log-level=error", ...modules.flatMap((module) => ["-L", module])], { env: { ...process.env, ...own }, stdio: ["ignore", "ignore", "pipe"] });
  sound.stderr!.setEncoding("utf8").on("data", (chunk: string) => (soundWords += chunk));
  env = { ...process.env, ...desktop.env, ...own, PULSE_SERVER: `unix:${home}/native` };
  await until("the sound server answers", async () => {
    if (sound.exitCode !== null) throw new Error(`pulseaudio ended with ${sound.exitCode}: ${soundWords}`);
    return run("pactl", ["set-default-source", "room.monitor"], { env, timeout: 5_000 }).then(() => true, () => false);
  }, LIMIT_MS);
}, 300_000);

afterAll(async () => {
  if (sound.exitCode === null) {
    sound.kill("SIGTERM");
    await until("the sound server has ended", () => sound.exitCode !== null || sound.signalCode !== null);
  }
  await desktop.close();
  await rm(home, { recursive: true });
});

/**
 * With half a second of silence before it: the sink has already given out its next tenth of a second when a stream begins, and its
 * monitor loses as much of the beginning. espeak-ng begins at once, and "stop" would be heard as "tap".
 */
async function say(voice: readonly string[], text: string): Promise<void> {
  const [said, file] = [join(home, "said.wav"), join(home, "played.wav")];
  await run("espeak-ng", [...voice, "-w", said, text], { timeout: LIMIT_MS });
  await run("ffmpeg", ["-v", "error", "-y", "-i", said, "-af", "adelay=500", file], { timeout: LIMIT_MS });
  await run("paplay", ["--device=room", file], { env, timeout: LIMIT_MS });
}

/** `deskhand voice`, and waiting for what it prints: no longer than the limit, nor after its end or a word of failure. */
function listen(...args: string[]) {
  const child = spawn(process.execPath, [BIN, "voice", ...args], { cwd: home, env, stdio: ["ignore", "pipe", "pipe"] });
  const closed = once(child, "close") as Promise<[number | null]>;
  const printed = { text: "" };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (chunk: string) => (printed.text += chunk));
  const untilPrinted = (what: string, pattern: RegExp, count: number, limitMs: number): Promise<void> =>
    until(`${what} (${pattern} ${count} times)`, () => {
      if ((printed.text.match(pattern)?.length ?? 0) >= count) return true;
      const wrong = /^((noise|failed|busy|paused|silence): .*|heard: (?!Press the Save button\.$|Stop listening\.$).*)/m.exec(printed.text)?.[0] ?? (child.exitCode === null ? undefined : `it ended with ${child.exitCode}`);
      if (wrong !== undefined) throw new Error(`while waiting for ${what}: ${wrong}`);
      return false;
    }, limitMs); // prettier-ignore
  const end = async (): Promise<void> => {
    if (child.exitCode === null) child.kill("SIGTERM");
    await closed;
  };
  return { child, printed, untilPrinted, end };
}

it("presses what three voices say, and ends when it is told to listen no more", { timeout: 1_200_000 }, async () => {
  const { child, printed, untilPrinted, end } = listen("--display", "current", "--mute", "--recorder", "arecord", "--device", "pulse", "--max-steps", "4");
  try {
    await untilPrinted("both models to be loaded", /^listening to/gm, 1, TASK_LIMIT_MS);
    for (const [i, voice] of VOICES.entries()) {
      const dialog = await startApplication(desktop.env, "zenity", ["--question", "--title=Notes", "--text=Keep the changes?", "--ok-label=Save", "--cancel-label=Discard"]);
      await say(voice, "press the save button");
      await untilPrinted("the sentence to be written down", /^heard: Press the Save button\.$/gm, i + 1, LIMIT_MS);
      // The application tells whether it was pressed: one that is slow to close may still stand there when the model looks again.
      await untilPrinted("the task to be done", /^(success|not done): /gm, i + 1, TASK_LIMIT_MS);
      // 0 is the first button, 1 the other one and a window that was closed.
      expect(await dialog.ended()).toMatchObject({ code: 0 });
    }
    await say(VOICES[0]!, "stop listening");
    await untilPrinted("the last words to be obeyed", /^listening no more$/gm, 1, LIMIT_MS);
    await until("it has ended", () => child.exitCode !== null, LIMIT_MS);
    expect(child.exitCode).toBe(/^not done: /m.test(printed.text) ? 1 : 0);
  } catch (error) {
    throw new Error(`${String(error)}\nIt had printed:\n${printed.text}${soundWords}`, { cause: error });
  } finally {
    await end();
  }
});
