// Tells what changes in front of a camera: npx tsx examples/camera.ts [SOURCE] [SERVER]
// SOURCE is `camera`, an rtsp: or http: (MJPEG) address, or a file; without a SERVER a model of 3 GB is loaded.
import { ModelClient, serve, StreamWatcher, VideoStream } from "deskhand";

const [source = "camera", url] = process.argv.slice(2);
const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort());

await using stream = await VideoStream.open(source, { onEvent: (event) => console.error(event), signal: interrupted.signal });
await using server = url === undefined ? await serve({ model: "qwen", port: 0 }) : undefined;
const client = new ModelClient({ baseURL: url ?? server!.url });

const watcher = new StreamWatcher({
  client,
  model: await client.firstModel(),
  source: stream,
  onChange: 0.05,
  onEvent: (event) => {
    if (event.type === "words") process.stdout.write(event.text);
    if (event.type === "answer") process.stdout.write("\n");
  },
});
await watcher.run(interrupted.signal);
