// Speak with a model that sees and hears: npx tsx examples/omni.ts [SERVER] [SOURCE] [SOUND]
// SERVER serves a model such as Qwen2.5-Omni; SOURCE is `camera`, an address or a file; SOUND a file instead of the microphone.
import { hearQuestions, ModelClient, openMicrophone, openSoundFile, SpeechDetector, StreamWatcher, VideoStream } from "deskhand";

const [url = "http://127.0.0.1:8000", source = "camera", sound] = process.argv.slice(2);
const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort());

await using heard = sound === undefined ? openMicrophone() : await openSoundFile(sound);
await using stream = await VideoStream.open(source, { signal: interrupted.signal });
const client = new ModelClient({ baseURL: url });

const watcher = new StreamWatcher({
  client,
  model: await client.firstModel(),
  source: stream,
  framesPerRequest: 3,
  onEvent: (event) => {
    if (event.type === "words") process.stdout.write(event.text);
    if (event.type === "answer") process.stdout.write("\n");
  },
});
// What is said goes to the model as sound, with the newest pictures beside it.
const hearing = hearQuestions(heard, { watcher, segmenter: new SpeechDetector(), signal: interrupted.signal });
// A file is answered to its end; a microphone, and a camera, have none.
if (!heard.live) void hearing.then(() => watcher.end());
await watcher.run(interrupted.signal);
interrupted.abort();
await hearing;
