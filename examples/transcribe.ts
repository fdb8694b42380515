// Writes down what is said in a sound file: npx tsx examples/transcribe.ts MODEL FILE
import { loadTranscriber } from "deskhand";

const [name = "openai/whisper-tiny", file = "speech.wav"] = process.argv.slice(2);

await using transcriber = await loadTranscriber(name);

for await (const { start, end, text, words } of transcriber.streamTranscribe(file, { wordTimestamps: true })) {
  console.log(`${start.toFixed(2)} – ${end.toFixed(2)}${text}`);
  console.log(words?.map(({ word, start: at }) => `${at.toFixed(2)}${word}`).join("  "));
}
