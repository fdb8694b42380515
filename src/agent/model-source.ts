import { DeskhandError } from "../core/errors.js";
import { DEFAULT_MODEL } from "../server/defaults.js";
import { dialectByName, dialectForModel, type Dialect } from "./dialects/index.js";
import { planner } from "./dialects/planner.js";
import type { Grounder } from "./grounder.js";
import { ModelClient } from "./model-client.js";
import type { ResolvedAgentOptions } from "./options.js";
import { startOwnServer, type OneConnectedModel } from "./own-server.js";

/** Which model to ask, and how; nothing has been started yet. */
export interface ModelPlan {
  dialect: Dialect;
  connect(signal: AbortSignal): Promise<ConnectedModel>;
}

export interface ConnectedModel extends OneConnectedModel {
  /** Finds places, where the model itself plans in words. */
  grounder?: Grounder;
}

export type ModelOptions = Pick<ResolvedAgentOptions, "model" | "baseURL" | "apiKey" | "dialect" | "planner" | "plannerURL" | "grounder" | "grounderURL" | "keptModels" | "onProgress">;
/** One model and where it is. */
type OneModel = Pick<ModelOptions, "model" | "baseURL" | "apiKey" | "keptModels" | "onProgress"> & { addressOption: string };

/**
 * Settles models and dialects before anything slow begins; asks a given server for its models only when none was named.
 * @throws DeskhandError `unsupported_model`, `invalid_argument`, `model_server`.
 */
export async function planModel(options: ModelOptions, signal: AbortSignal): Promise<ModelPlan> {
  const { model, baseURL, dialect } = options;
  const plans = options.planner !== undefined || options.plannerURL !== undefined;
  const grounds = options.grounder !== undefined || options.grounderURL !== undefined;
  const named = (id: string) => (dialect === undefined ? dialectForModel(id) : dialectByName(dialect));
  if (!plans && !grounds) return planOne({ ...options, addressOption: "--base-url" }, named, signal);
  if (!plans || !grounds) {
    const [given, missing] = plans ? ["--planner", "--grounder"] : ["--grounder", "--planner"];
    throw new DeskhandError("invalid_argument", `Expected a planner and a grounder together but received only ${given}; name the other model with ${missing}.`, { param: missing.slice(2) });
  }
  if (model !== undefined) throw new DeskhandError("invalid_argument", "Expected either --model or --planner and --grounder but received both.", { param: "model" });
  const planning = await planOne({ ...options, model: options.planner, baseURL: options.plannerURL ?? baseURL, addressOption: "--planner-url" }, () => planner, signal);
  const grounding = await planOne({ ...options, model: options.grounder, baseURL: options.grounderURL ?? baseURL, addressOption: "--grounder-url" }, named, signal);
  return { dialect: planner, connect: (signal) => connectBoth(planning, grounding, signal) };
}

async function planOne(options: OneModel, dialectFor: (model: string) => Dialect, signal: AbortSignal): Promise<ModelPlan> {
  const { baseURL, apiKey, addressOption, keptModels, onProgress } = options;
  if (baseURL === undefined) {
    const model = options.model ?? DEFAULT_MODEL;
    return { dialect: dialectFor(model), connect: (signal) => (keptModels ? keptModels.use(model, onProgress, signal) : startOwnServer(model, onProgress, signal)) };
  }
  const asked = new ModelClient({ baseURL, apiKey, addressOption });
  const model = options.model ?? (await asked.firstModel(signal));
  const dialect = dialectFor(model);
  const client = dialect.keyVariable === undefined ? asked : new ModelClient({ baseURL, apiKey: apiKey ?? process.env[dialect.keyVariable], addressOption });
  return { dialect, connect: async () => ({ client, model, close: async () => {} }) };
}

/** When one of them fails, the other is closed again. */
async function connectBoth(planning: ModelPlan, grounding: ModelPlan, signal: AbortSignal): Promise<ConnectedModel> {
  const first = await planning.connect(signal);
  try {
    const second = await grounding.connect(signal);
    const close = async () => {
      await Promise.allSettled([first.close(), second.close()]);
    };
    return { ...first, grounder: { client: second.client, model: second.model, dialect: grounding.dialect }, close };
  } catch (error) {
    await first.close();
    throw error;
  }
}
