import type { OnProgress } from "../core/progress.js";
import { DEFAULT_MODEL } from "../server/defaults.js";
import { serve } from "../server/start.js";
import { dialectByName, dialectForModel, type Dialect } from "./dialects/index.js";
import { ModelClient } from "./model-client.js";
import type { ResolvedAgentOptions } from "./options.js";

/** Which model to ask, and how; nothing has been started yet. */
export interface ModelPlan {
  dialect: Dialect;
  connect(signal: AbortSignal): Promise<ConnectedModel>;
}

export interface ConnectedModel {
  client: ModelClient;
  /** The model's id on the server. */
  model: string;
  close(): Promise<void>;
}

type ModelOptions = Pick<ResolvedAgentOptions, "model" | "baseURL" | "apiKey" | "dialect" | "onProgress">;

/**
 * Settles model and dialect before anything slow begins; asks a given server for its models only when none was named.
 * @throws DeskhandError `unsupported_model`, `invalid_argument`, `model_server`.
 */
export async function planModel(options: ModelOptions, signal: AbortSignal): Promise<ModelPlan> {
  const dialectFor = (model: string) => (options.dialect === undefined ? dialectForModel(model) : dialectByName(options.dialect));
  if (options.baseURL === undefined) {
    const model = options.model ?? DEFAULT_MODEL;
    return { dialect: dialectFor(model), connect: (signal) => startOwnServer(model, options.onProgress, signal) };
  }
  const client = new ModelClient({ baseURL: options.baseURL, apiKey: options.apiKey });
  const model = options.model ?? (await client.firstModel(signal));
  return { dialect: dialectFor(model), connect: async () => ({ client, model, close: async () => {} }) };
}

async function startOwnServer(model: string, onProgress: OnProgress | undefined, signal: AbortSignal): Promise<ConnectedModel> {
  const server = await serve({ model, port: 0, onProgress, signal });
  // The key in the environment is meant for someone else's server.
  const client = new ModelClient({ baseURL: server.url, apiKey: "none" });
  return { client, model: server.modelId, close: () => server.close() };
}
