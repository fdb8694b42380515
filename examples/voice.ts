// Does what is said, offline: npx tsx examples/voice.ts, or with a recording: npx tsx examples/voice.ts command.wav
import { Agent, openMicrophone, openSoundFile, serve, serverTranscription, SpeechDetector, systemSpeaker, VoiceControl } from "deskhand";

const [file] = process.argv.slice(2);

await using source = file === undefined ? openMicrophone() : await openSoundFile(file);
await using server = await serve({ model: ["tiny", "hear"], port: 0 });

const control = new VoiceControl({
  transcribe: serverTranscription({ baseURL: server.url, model: "hear" }),
  segmenter: new SpeechDetector(),
  speaker: systemSpeaker(),
  work: (task, hold) => new Agent({ baseURL: server.url, model: "tiny", ...hold }).run(task),
  onEvent: (event) => console.log(event),
});
console.log('Say what to do, "stop" at any time, "stop listening" to end.');
await control.run(source);
