import { z } from "zod";
import type { OnProgress } from "../core/progress.js";
import { Region } from "./actions.js";
import type { Computer } from "./computer/computer.js";
import { isTool, type CustomTool } from "./custom-tools.js";
import type { KeptModels } from "./kept-models.js";
import type { RunListener } from "./run-events.js";
import type { Approver } from "./safety/approver.js";
import { CapabilityFile } from "./safety/capability-file.js";
import { RunController } from "./safety/run-controller.js";
import type { SecretSource } from "./safety/secrets.js";

export const DEFAULT_MAX_STEPS = 50;
export const CONFIRM = ["never", "risky", "always"] as const;
export const DEFAULT_CONFIRM = "risky" satisfies (typeof CONFIRM)[number];
export const COVER_SECRETS = ["place", "screen"] as const;
export const DEFAULT_COVER_SECRETS = "place" satisfies (typeof COVER_SECRETS)[number];
/** How long a model stays loaded that nobody uses, where it is kept at all. */
export const DEFAULT_KEEP_MODEL_MS = 10 * 60_000;
export const DEFAULT_STOP_KEYS = "ctrl+alt+esc";

const isObject = (value: unknown) => typeof value === "object" && value !== null;
const isFunction = (value: unknown) => typeof value === "function";

/** Options of an `Agent`, and the one place where their defaults stand. */
export const AgentOptions = z.strictObject({
  /** A model's id, alias or folder. Without one: the first that the server at `baseURL` offers, else the embedded one. */
  model: z.string().min(1).optional(),
  /** An OpenAI-compatible server, e.g. `http://127.0.0.1:8000/v1`. Without one the agent starts its own for the run. */
  baseURL: z.string().min(1).optional(),
  /** Key for `baseURL`; `OPENAI_API_KEY` from the environment unless given. */
  apiKey: z.string().optional(),
  /** How the model is spoken to; chosen by the model's id unless given. */
  dialect: z.string().optional(),
  /** Instead of one model two: this one says in words what to do, each on its own server or on `baseURL`. */
  planner: z.string().min(1).optional(),
  plannerURL: z.string().min(1).optional(),
  /** And this one finds what the planner describes; `dialect` is how it is spoken to. */
  grounder: z.string().min(1).optional(),
  grounderURL: z.string().min(1).optional(),
  /** Where models that the agent starts itself stay loaded for later runs; each run loads and frees its own unless given. */
  keptModels: z.custom<KeptModels>(isObject, { error: "expected KeptModels" }).optional(),
  /** A computer that is open already; the caller closes it. Without one the agent opens `display` for the run. */
  computer: z.custom<Computer>(isObject, { error: "expected a Computer" }).optional(),
  /** Unless given: the current display where there is one, else a virtual one. */
  display: z.enum(["virtual", "current"]).optional(),
  /** Of a current display with several monitors the one to use, by its name or its number from 1; the primary one unless given. */
  monitor: z.string().min(1).optional(),
  /** Only this part of the desktop is seen and worked on, in logical pixels. */
  region: Region.optional(),
  /** Only this window is: the uppermost one with these words in its title, wherever it moves. */
  window: z.string().min(1).optional(),
  /** Functions of the program that the model may call beside operating the computer; see `defineTool`. */
  tools: z.array(z.custom<CustomTool>(isTool, { error: "expected a tool of defineTool" })).default([]),
  maxSteps: z.number().int().min(1).default(DEFAULT_MAX_STEPS),
  /** Counted from the first screenshot; no limit unless given. */
  maxSeconds: z.number().positive().max(2_000_000).optional(),
  /** Tokens read and written, of all requests together; no limit unless given. */
  maxTokens: z.number().int().positive().optional(),
  /** What may be done: a YAML file's path, or what such a file holds. Everything, unless given. */
  capabilities: z.union([z.string().min(1), CapabilityFile]).optional(),
  /** Which actions a person is asked about: none, those that may do harm, or all that change something. */
  confirm: z.enum(CONFIRM).default(DEFAULT_CONFIRM),
  /** With `confirm: "risky"`: whether a model reads what a click is about to press, so that a person is asked about "Delete" even where the model says nothing of it. */
  readLabels: z.boolean().default(true),
  /** Whoever is asked. Without one, what has to be asked about is refused. */
  approver: z.custom<Approver>(isObject, { error: "expected an Approver" }).optional(),
  /** Pauses, resumes, steps and stops this agent's runs. Without one, a run that a person's mouse has paused goes on when it rests. */
  controller: z.instanceof(RunController, { error: "expected a RunController" }).optional(),
  /** Keys that stop the run, whichever window has the keyboard, where the system has such a thing; "" for none. */
  stopKeys: z.string().default(DEFAULT_STOP_KEYS),
  /** Where `{{secret:NAME}}` in a task comes from; the environment and the system's keychain unless given. */
  secretSource: z.custom<SecretSource>(isFunction, { error: "expected a function" }).optional(),
  /** What recorded pictures do not show after a secret was typed: the place, also when it moves, or the whole screen. */
  coverSecrets: z.enum(COVER_SECRETS).default(DEFAULT_COVER_SECRETS),
  /** Plans the first step and touches nothing. */
  dryRun: z.boolean().default(false),
  /** The run's own folder; a new one under `trajectories/` unless given. */
  outDir: z.string().min(1).optional(),
  /** Stops every run of this agent. */
  signal: z.instanceof(AbortSignal).optional(),
  /** Told how loading (and at first downloading) the model goes, when the agent starts its own server. */
  onProgress: z.custom<OnProgress>(isFunction, { error: "expected a function" }).optional(),
  /** Told of everything as it happens: the screen, the model's words as they come, what is planned and done. */
  onEvent: z.custom<RunListener>(isFunction, { error: "expected a function" }).optional(),
});
export type AgentOptions = z.input<typeof AgentOptions>;
export type ResolvedAgentOptions = z.output<typeof AgentOptions>;
