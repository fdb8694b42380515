import { z } from "zod";
import type { OnProgress } from "../core/progress.js";
import type { Computer } from "./computer/computer.js";
import type { RunLine, StepLine } from "./recorder/records.js";

export const DEFAULT_MAX_STEPS = 50;

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
  /** A computer that is open already; the caller closes it. Without one the agent opens `display` for the run. */
  computer: z.custom<Computer>(isObject, { error: "expected a Computer" }).optional(),
  /** Unless given: the current display where there is one, else a virtual one. */
  display: z.enum(["virtual", "current"]).optional(),
  maxSteps: z.number().int().min(1).default(DEFAULT_MAX_STEPS),
  /** Counted from the first screenshot; no limit unless given. */
  maxSeconds: z.number().positive().max(2_000_000).optional(),
  /** The run's own folder; a new one under `trajectories/` unless given. */
  outDir: z.string().min(1).optional(),
  /** Stops every run of this agent. */
  signal: z.instanceof(AbortSignal).optional(),
  /** Told how loading (and at first downloading) the model goes, when the agent starts its own server. */
  onProgress: z.custom<OnProgress>(isFunction, { error: "expected a function" }).optional(),
  /** Told once when everything is ready and the folder exists. */
  onStart: z.custom<(run: RunLine, trajectoryDir: string) => void>(isFunction, { error: "expected a function" }).optional(),
  /** Told of every step when it ends. */
  onStep: z.custom<(step: StepLine) => void>(isFunction, { error: "expected a function" }).optional(),
});
export type AgentOptions = z.input<typeof AgentOptions>;
export type ResolvedAgentOptions = z.output<typeof AgentOptions>;
