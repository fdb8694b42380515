import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeskhandError, throwIfAborted } from "../../core/errors.js";
import type { Manner, SystemVoice } from "../../core/system-voice.js";
import { runProgram } from "./run-program.js";

/**
 * A text in the system's voice, as a WAVE file's bytes.
 * @throws DeskhandError `invalid_argument` for a voice that the system does not have, `cancelled`.
 */
export async function speak(system: SystemVoice, text: string, manner: Manner, signal: AbortSignal): Promise<Buffer> {
  const dir = await mkdtemp(join(tmpdir(), "deskhand-speech-"));
  try {
    const file = join(dir, "speech.wav");
    const { status, message } = await runProgram(system.program, system.toFile(file, manner), `${text}\n`, signal);
    const wave = await readFile(file).catch(() => undefined);
    if (status === 0 && wave !== undefined) return wave;
    if (manner.voice === undefined) throw new DeskhandError("internal", `Expected ${system.program} to speak but it ended with ${status}: ${message}.`);
    throw new DeskhandError("invalid_argument", `voice: expected "default" or a voice of the server's system, received "${manner.voice}". There, \`${system.listing}\` lists them.`, { param: "voice" });
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
