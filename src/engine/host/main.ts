import { SimpleEngine } from "../simple-engine.js";
import { PictureAsker } from "./picture-asker.js";
import { toPlainError, type Call, type CallEvent, type FromEngine, type ToEngine } from "./protocol.js";

// The engine's process: `ProcessEngine` starts it and speaks to it over Node's channel between processes.

let engine: SimpleEngine | undefined;
const loading = new AbortController();
const running = new Map<number, AbortController>();

function tell(message: FromEngine): void {
  // The channel is gone when the server is: there is nobody to tell, and `disconnect` ends this process.
  if (process.connected) process.send?.(message);
}

const pictures = new PictureAsker(tell);

async function start({ model, options }: Extract<ToEngine, { type: "start" }>): Promise<void> {
  try {
    engine = new SimpleEngine(model, options);
    await engine.start({ signal: loading.signal, onProgress: (progress) => tell({ type: "progress", progress }) });
    tell({ type: "ready", info: engine.info });
  } catch (error) {
    tell({ type: "failed", error: toPlainError(error) });
  }
}

async function answer(call: Call): Promise<void> {
  const { id } = call;
  const controller = new AbortController();
  running.set(id, controller);
  try {
    for await (const event of eventsOf(call, controller.signal)) tell({ type: "event", id, event });
    tell({ type: "end", id });
  } catch (error) {
    tell({ type: "error", id, error: toPlainError(error) });
  } finally {
    running.delete(id);
  }
}

async function* eventsOf({ id, name, request }: Call, signal: AbortSignal): AsyncIterable<CallEvent> {
  if (engine === undefined) throw new Error("Expected a model to be loaded before the first call.");
  switch (name) {
    case "generate":
      yield* engine.generate(pictures.readable(id, request, signal), { signal });
      break;
    case "transcribe":
      yield* engine.transcribe(request, { signal });
      break;
    case "embed":
      yield await engine.embed(request, { signal });
      break;
    case "encode":
      yield await engine.encode(request);
      break;
    case "decode":
      yield await engine.decode(request);
      break;
    case "promptTokens":
      yield await engine.promptTokens(pictures.readable(id, request, signal), { signal });
      break;
    case "stats":
      yield await engine.stats();
      break;
    case "limitMemory":
      yield await engine.limitMemory(request);
  }
}

/** Cancels what runs and frees the model; the process ends by itself once the channel is closed. */
async function stop(): Promise<void> {
  loading.abort();
  for (const controller of running.values()) controller.abort();
  await engine?.stop();
  process.disconnect();
}

process.on("message", (message: ToEngine) => {
  if (message.type === "start") void start(message);
  else if (message.type === "call") void answer(message);
  else if (message.type === "cancel") running.get(message.id)?.abort();
  else if (message.type === "picture") pictures.take(message.number, message.bytes);
  else void stop();
});

// A terminal sends Ctrl-C to the whole group: the server decides when its engine goes.
process.on("SIGINT", () => undefined);
process.on("SIGHUP", () => undefined);
// The server is gone, however it ended.
process.on("disconnect", () => process.exit(0));
