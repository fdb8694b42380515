import { findProgram } from "./programs.js";

/** How a text is said. */
export interface Manner {
  /** A voice's name for the program; its own choice unless given. */
  voice?: string;
  /** 1 is the voice's usual pace. */
  speed: number;
}

/** A program that speaks with the system's voice. It reads the text from stdin, so that nothing said shows in a list of processes. */
export interface SystemVoice {
  program: string;
  /** Arguments to say it aloud. */
  aloud: readonly string[];
  /** Arguments to write it as a WAVE file. */
  toFile: (file: string, manner: Manner) => string[];
  /** The command that lists the voices. */
  listing: string;
}

/** Of `say` and espeak-ng alike. */
const WORDS_PER_MINUTE = 175;

const rate = (speed: number): string => String(Math.round(WORDS_PER_MINUTE * speed));
const espeakToFile: SystemVoice["toFile"] = (file, { voice, speed }) => ["--stdin", ...(voice === undefined ? [] : ["-v", voice]), "-s", rate(speed), "-w", file];

const VOICES: readonly SystemVoice[] = [
  {
    program: "say",
    aloud: ["-f", "-"],
    toFile: (file, { voice, speed }) => ["-f", "-", ...(voice === undefined ? [] : ["-v", voice]), "-r", rate(speed), "-o", file, "--file-format=WAVE", "--data-format=LEI16@24000"],
    listing: "say -v '?'",
  },
  { program: "espeak-ng", aloud: ["--stdin"], toFile: espeakToFile, listing: "espeak-ng --voices" },
  { program: "espeak", aloud: ["--stdin"], toFile: espeakToFile, listing: "espeak --voices" },
];

/** The system's voice; undefined where there is none. */
export function findSystemVoice(): SystemVoice | undefined {
  return VOICES.find(({ program }) => findProgram(program) !== undefined);
}
