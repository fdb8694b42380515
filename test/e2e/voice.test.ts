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

const run = promisify(execFile);
let home: string;
let desktop: OpenedComputer;
let sound: ChildProcess;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "deskhand-e2e-voice-"));
  desktop = await openComputer({ display: "virtual", widthPx: 640, heightPx: 480 });
  // A sound server of our own: its folder, its socket, its end.
  const own = { PULSE_RUNTIME_PATH: home, PULSE_STATE_PATH: home, PULSE_CONFIG_PATH: home, XDG_RUNTIME_DIR: home };
  const modules = ["module-null-sink sink_name=room rate=16000 channels=1", `module-native-protocol-unix socket=${home}/native auth-anonymous=1`];
  sound = spawn("pulseaudio", ["-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--log-level=error", ...modules.flatMap((module) => ["-L", module])], { env: { ...process.env, ...own }, stdio: "ignore" });
  env = { ...process.env, ...desktop.env, ...own, PULSE_SERVER: `unix:${home}/native` };
  await until("the sound server answers", () => run("pactl", ["set-default-source", "room.monitor"], { env }).then(() => true, () => false));
});

afterAll(async () => {
  if (sound.exitCode === null) {
    sound.kill("SIGTERM");
    await once(sound, "close");
  }
  await desktop.close();
  await rm(home, { recursive: true });
});

async function say(voice: readonly string[], text: string): Promise<void> {
  const file = join(home, "said.wav");
  await run("espeak-ng", [...voice, "-w", file, text]);
  await run("paplay", ["--device=room", file], { env });
}

it("presses what three voices say, and ends when it is told to listen no more", async () => {
  const child = spawn(process.execPath, [BIN, "voice", "--display", "current", "--mute", "--recorder", "arecord", "--max-steps", "4"], { cwd: home, env, stdio: ["ignore", "pipe", "pipe"] });
  const closed = once(child, "close") as Promise<[number | null]>;
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  const printed = (what: RegExp, count: number) => until(`${String(what)} was printed ${count} times`, () => (output.match(what)?.length ?? 0) >= count || child.exitCode !== null, 60_000);
  try {
    await printed(/listening to/g, 1);
    for (const [i, voice] of VOICES.entries()) {
      const dialog = await startApplication(desktop.env, "zenity", ["--question", "--title=Notes", "--text=Keep the changes?", "--ok-label=Save", "--cancel-label=Discard"]);
      await say(voice, "press the save button");
      await printed(/^(success|not done): /gm, i + 1);
      expect({ output, ...(await dialog.ended()) }).toMatchObject({ code: 0 });
    }
    expect(output.match(/^heard: Press the Save button\.$/gm)).toHaveLength(VOICES.length);
    await say(VOICES[0]!, "stop listening");
    expect({ code: (await closed)[0], output }).toMatchObject({ code: 0 });
  } catch (error) {
    throw new Error(`so far it printed:\n${output}`, { cause: error });
  } finally {
    if (child.exitCode === null) child.kill("SIGTERM");
    await closed;
  }
});
