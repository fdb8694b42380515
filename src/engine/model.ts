import { DeskhandError } from "../core/errors.js";
import { Semaphore } from "../core/semaphore.js";
import { FeatureCache } from "./cache/feature-cache.js";
import { openModelDisk } from "./cache/model-disk.js";
import { PrefixCache } from "./cache/prefix-cache.js";
import type { PrefixDisk } from "./cache/prefix-disk.js";
import { chatEvents, type ChatEvent } from "./chat-events.js";
import { readModelDefaults, requireTokens, resolveOptions, type ModelDefaults } from "./generate/options.js";
import type { MemoryHeld, SchedulerCaches } from "./generate/room.js";
import { Scheduler } from "./generate/scheduler.js";
import { generateText } from "./generate/text-generation.js";
import type { TextDelta } from "./generate/text.js";
import { withThinking } from "./generate/thinking-stream.js";
import { promptClosesThinking, promptOpensThinking, templateThinks, THINKING_MARKS } from "./generate/thinking.js";
import type { Constraint } from "./generate/sampler.js";
import { Embedder } from "./embed/embedder.js";
import { AnswerGrammars, isConstrained } from "./grammar/answers.js";
import { resolveModel } from "./hub/resolve.js";
import type { ChatRequest, EmbeddingRequest, Embeddings, InferenceEvent, ModelInfo, SamplingOptions } from "./inference.js";
import { modelLimits, type ModelLimits } from "./limits.js";
import { SeenImages } from "./image/seen-images.js";
import { mediaOf, readMedia, requireTaken, withVideosAsPictures } from "./media.js";
import type { ChatMessage, ContentPart, ImageSource, VideoSource } from "./messages.js";
import { bestDevice, clearCache, setDefaultDevice } from "./mlx/index.js";
import type { ChatOptions, ChatOutput, GenerateOptions, GenerationOutput, GenerationStream, LoadOptions } from "./model-options.js";
import type { Prompt } from "./models/architecture.js";
import { loadArchitecture, type LoadedArchitecture } from "./models/registry.js";
import { plainPrompt } from "./plain-prompt.js";
import { ChatTemplate, missingChatTemplate } from "./tokenizer/chat-template.js";
import { SpecialTokenShield } from "./tokenizer/special-token-shield.js";
import { textsOf } from "./tokenizer/template-messages.js";
import { Tokenizer } from "./tokenizer/tokenizer.js";
import { detectToolCallFormat, toolCallFormat } from "./tools/detect.js";
import { gemma } from "./tools/gemma.js";
import type { ToolCallFormat } from "./tools/format.js";
import { weightTypes } from "./weight-types.js";

/** The same before thinking is told from the answer. */
type PlainStream = AsyncGenerator<TextDelta, Omit<GenerationOutput, "reasoning">>;

interface RunOptions extends SamplingOptions {
  signal?: AbortSignal;
  /** Special tokens that stay in the text. */
  visibleTokens?: readonly string[];
}

/** What a generation starts from. */
interface Prepared {
  prompt: Prompt;
  constraint?: Constraint;
}

interface Parts extends LoadedArchitecture {
  id: string;
  dir: string;
  tokenizer: Tokenizer;
  template: ChatTemplate | undefined;
  defaults: ModelDefaults;
  toolFormat: ToolCallFormat | undefined;
  limits: ModelLimits;
  disk: PrefixDisk | undefined;
}

/** A loaded model. Generations asked for at the same time run together; each continues from what an earlier one left where it can. */
export class Model implements AsyncDisposable {
  readonly info: ModelInfo;
  readonly #parts: Parts;
  readonly #caches: SchedulerCaches;
  readonly #scheduler: Scheduler;
  readonly #grammars: AnswerGrammars;
  readonly #places: Semaphore;
  readonly #seenImages = new SeenImages();
  readonly #embedder: Embedder;
  #disposed = false;

  constructor(parts: Parts) {
    const { architecture, processor, tokenizer, limits, disk, weightBytes } = parts;
    this.#parts = parts;
    this.#caches = { prefixes: new PrefixCache(architecture, { maxBytes: limits.prefixCacheBytes, borderTokens: tokenizer.specialTokenIds, disk }), features: new FeatureCache(limits.featureCacheBytes) };
    this.#scheduler = new Scheduler(architecture, { ...this.#caches, maxMemoryBytes: limits.maxMemoryBytes, weightBytes });
    this.#embedder = new Embedder(parts);
    this.#grammars = new AnswerGrammars(tokenizer, parts.toolFormat);
    this.#places = new Semaphore(limits.maxConcurrent);
    this.info = { id: parts.id, tasks: ["generate", "embed"], modelType: architecture.modelType, contextLength: architecture.contextLength, vision: processor !== undefined, audio: processor?.takesAudio === true };
  }

  /** Answers a prompt: one user message, unless `raw`. */
  async generate(prompt: string, options: GenerateOptions = {}): Promise<GenerationOutput> {
    return drain(this.streamGenerate(prompt, options));
  }

  /** Like `generate`, piece by piece. The generator's return value is the whole output. */
  streamGenerate(prompt: string, options: GenerateOptions = {}): GenerationStream {
    const { images = [], videos = [], videoFps: fps, videoMaxFrames: maxFrames, audio = [], raw = false, signal } = options;
    const content: ContentPart[] = [
      ...images.map((image) => ({ type: "image" as const, image })),
      ...videos.map((video) => ({ type: "video" as const, video, fps, maxFrames })),
      ...audio.map((sound) => ({ type: "audio" as const, audio: sound })),
      { type: "text", text: prompt },
    ];
    if (!raw) return this.#runChat({ messages: [{ role: "user", content }] }, options);
    const knowsVideos = this.#parts.processor?.video !== undefined;
    const prepare = async (): Promise<Prepared> => ({ prompt: await this.#prepare(prompt, await this.#withVideos([{ role: "user", content }], knowsVideos, signal), { addSpecialTokens: true, signal }) });
    const stream = this.#run(prepare, options);
    return withThinking(stream, () => undefined);
  }

  /** Answers a conversation; tool calls are parsed when tools are given. */
  async chat(messages: ChatMessage[], options: ChatOptions = {}): Promise<ChatOutput> {
    const events = this.#chatEvents({ ...options, messages }, options.signal);
    let text = "";
    for (;;) {
      const { value, done } = await events.next();
      if (done) return { ...value, text };
      if (value.type === "text") text += value.text;
    }
  }

  /** Like `chat`, as events. */
  async *streamChat(request: ChatRequest, { signal }: { signal?: AbortSignal } = {}): AsyncGenerator<InferenceEvent, void> {
    const { promptTokens, completionTokens, cachedTokens, finishReason, stopString, timings, toolCalls } = yield* this.#chatEvents(request, signal);
    yield { type: "finish", finishReason, stopString, usage: { promptTokens, completionTokens, cachedTokens }, timings, toolCalls };
  }

  /** Token ids of a text; `addSpecialTokens` lets the tokenizer add its own beginning. */
  encode(text: string, options: { addSpecialTokens?: boolean } = {}): Promise<number[]> {
    return this.#parts.tokenizer.encodeGently(text, options);
  }

  /** The text of token ids, special ones included. */
  decode(tokens: readonly number[]): string {
    return this.#parts.tokenizer.decode(tokens);
  }

  /** Token ids of the whole prompt that a request is answered from, the places of media included. */
  async promptTokens(request: ChatRequest, { signal }: { signal?: AbortSignal } = {}): Promise<number[]> {
    const { prompt } = await this.#chatPrompt(request, signal);
    return [...prompt.tokenIds];
  }

  /** Bytes that the weights take, and what generations under way were let in with. */
  get memory(): MemoryHeld {
    return this.#scheduler.memory;
  }

  /** Has weights, what is remembered of prompts, and pictures keep to this many bytes; see `Inference.limitMemory`. */
  limitMemory(bytes: number): void {
    this.#scheduler.limitMemory(bytes);
  }

  /** A vector for each text (or its token ids), as the model's folder says that hidden states become one. */
  embed(inputs: EmbeddingRequest["inputs"], { dimensions, signal }: { dimensions?: number; signal?: AbortSignal } = {}): Promise<Embeddings> {
    return this.#embedder.embed({ inputs, dimensions }, signal);
  }

  /** A description of a picture in the model's words. */
  async describeImage(image: ImageSource, options: Omit<GenerateOptions, "images" | "raw"> = {}): Promise<GenerationOutput> {
    return this.answerAboutImage(image, "Describe this image.", options);
  }

  async answerAboutImage(image: ImageSource, question: string, options: Omit<GenerateOptions, "images" | "raw"> = {}): Promise<GenerationOutput> {
    return this.generate(question, { ...options, images: [image] });
  }

  /** A description of a video in the model's words. */
  async describeVideo(video: VideoSource, options: Omit<GenerateOptions, "videos" | "raw"> = {}): Promise<GenerationOutput> {
    return this.generate("Describe this video.", { ...options, videos: [video] });
  }

  /** Waits for running generations to end, then frees the weights and the caches. Safe to call twice. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#scheduler.idle();
    await this.#embedder[Symbol.asyncDispose]();
    await this.#caches.prefixes.persist();
    this.#caches.prefixes[Symbol.dispose]();
    this.#caches.features[Symbol.dispose]();
    this.#parts.architecture[Symbol.dispose]();
    clearCache();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  async *#chatEvents(request: ChatRequest, signal: AbortSignal | undefined): AsyncGenerator<ChatEvent, ChatOutput> {
    const format = this.#toolFormatFor(request);
    const stream = this.#runChat(request, { ...request, signal, visibleTokens: format?.marks });
    const { output, toolCalls } = yield* chatEvents(stream, format?.createParser({ tools: request.tools }));
    return { ...output, toolCalls, finishReason: toolCalls.length > 0 && output.finishReason === "stop" ? "tool_calls" : output.finishReason };
  }

  #toolFormatFor({ tools, toolChoice, prompt }: ChatRequest): ToolCallFormat | undefined {
    return prompt !== undefined || toolChoice === "none" || tools === undefined || tools.length === 0 ? undefined : this.#parts.toolFormat;
  }

  #runChat(request: ChatRequest, options: RunOptions): GenerationStream {
    const thinks = request.prompt === undefined && templateThinks(this.#parts.template?.source ?? "");
    let isOpen = false;
    const prepare = async (): Promise<Prepared> => {
      const { prompt, text } = await this.#chatPrompt(request, options.signal);
      isOpen = promptOpensThinking(text);
      const thinking = !thinks || promptClosesThinking(text) ? "none" : isOpen ? "open" : "possible";
      return { prompt, constraint: request.prompt === undefined ? this.#grammars.constraint(request, thinking) : undefined };
    };
    const visibleTokens = isConstrained(request) ? this.#grammars.visibleTokens : [...(options.visibleTokens ?? []), ...(thinks ? THINKING_MARKS : [])];
    return withThinking(this.#run(prepare, { ...options, visibleTokens }), () => (thinks ? { isOpen } : undefined));
  }

  /** The prompt of a request, and the text it was made from. */
  async #chatPrompt({ messages: asked, prompt, tools, toolChoice, templateVariables: variables, maxSoundSeconds }: ChatRequest, signal: AbortSignal | undefined): Promise<{ prompt: Prompt; text: string }> {
    const { architecture, template, processor, tokenizer, toolFormat } = this.#parts;
    if (prompt !== undefined) return { prompt: await plainPrompt(prompt, tokenizer, architecture.vocabSize, { signal }), text: "" };
    const messages = await this.#withVideos(asked, processor?.video !== undefined && template?.knowsVideos === true, signal);
    if (template === undefined) throw missingChatTemplate(this.info.id);
    const shield = new SpecialTokenShield(tokenizer.specialTokens, textsOf(messages, tools));
    const text = template.render(messages, { tools: toolChoice === "none" ? [] : tools, variables, shield, toolFormat, pictureMark: processor?.pictureMark });
    return { prompt: await this.#prepare(text, messages, { addSpecialTokens: processor?.addsSpecialTokens ?? false, mark: shield.mark, maxSoundSeconds, signal }), text };
  }

  /** Videos as they are where they are known, else as pictures. */
  async #withVideos(messages: ChatMessage[], known: boolean, signal: AbortSignal | undefined): Promise<ChatMessage[]> {
    const media = mediaOf(messages);
    requireTaken(media, this.info);
    return known || media.videos.length === 0 ? messages : withVideosAsPictures(messages, { signal });
  }

  async *#run(prepare: () => Promise<Prepared>, options: RunOptions): PlainStream {
    const sampling = resolveOptions(options, this.#parts.defaults);
    requireTokens(sampling, this.#parts.architecture.vocabSize);
    const release = await this.#places.acquire(options.signal);
    try {
      const started = performance.now();
      const { prompt, constraint } = await prepare();
      const processMs = performance.now() - started;
      if (this.#disposed) {
        constraint?.[Symbol.dispose]();
        throw new DeskhandError("engine_unavailable", `The model ${this.info.id} has been disposed. Load it again.`);
      }
      const { visibleTokens, signal } = options;
      const { timings, ...output } = yield* generateText(this.#scheduler, this.#parts.tokenizer, prompt, { sampling, constraint, signal, visibleTokens });
      return { ...output, timings: { processMs, ...timings } };
    } finally {
      release();
    }
  }

  async #prepare(text: string, messages: readonly ChatMessage[], { signal, maxSoundSeconds, ...encoding }: { addSpecialTokens: boolean; mark?: string; maxSoundSeconds?: number; signal?: AbortSignal }): Promise<Prompt> {
    const { tokenizer, processor } = this.#parts;
    const known = await tokenizer.readAhead(text, { ...encoding, signal });
    const encode = (part: string): number[] => tokenizer.encode(part, { ...encoding, known });
    if (processor === undefined) return { tokenIds: encode(text), media: [] };
    const media = await readMedia(mediaOf(messages), { signal, video: processor.video, contextLength: this.info.contextLength, seenImages: processor.takesSeenImages ? this.#seenImages : undefined, maxSoundSeconds });
    return processor.prepare({ ...media, text, encode });
  }
}

/**
 * Loads a model: a folder, an alias (`tiny`, `qwen`, `gemma`) or a Hugging Face id.
 * @throws DeskhandError `model_not_found`, `unsupported_model`, `invalid_model`, `cancelled`.
 */
export async function load(name: string, { device = bestDevice(), dtype, toolFormat, onProgress, signal, ...given }: LoadOptions = {}): Promise<Model> {
  const limits = modelLimits(given);
  const chosenFormat = toolFormat === undefined ? undefined : toolCallFormat(toolFormat);
  const { dir, id } = await resolveModel(name, { onProgress, signal });
  setDefaultDevice(device);
  const [tokenizer, defaults] = await Promise.all([Tokenizer.load(dir, { signal }), readModelDefaults(dir)]);
  const template = await ChatTemplate.load(dir, tokenizer.namedTokens);
  const loaded = await loadArchitecture(dir, { ...weightTypes(device, dtype), onProgress, signal });
  const disk = await openModelDisk(dir, `${device} ${dtype ?? "as stored"}`, loaded.architecture, limits).catch((error: unknown) => {
    loaded.architecture[Symbol.dispose]();
    throw error;
  });
  return new Model({ ...loaded, id, dir, tokenizer, template, defaults, limits, disk, toolFormat: chosenFormat ?? (template?.knowsTools === false ? gemma : detectToolCallFormat(template?.source ?? "")) });
}

async function drain(stream: GenerationStream): Promise<GenerationOutput> {
  for (;;) {
    const { value, done } = await stream.next();
    if (done) return value;
  }
}
