import type { OnProgress } from "../core/progress.js";
import { serve } from "../server/start.js";
import { ModelClient } from "./model-client.js";

/** A model that answers. */
export interface OneConnectedModel {
  client: ModelClient;
  /** The model's id on the server. */
  model: string;
  close(): Promise<void>;
}

/** Starts a server for one model. */
export async function startOwnServer(model: string, onProgress: OnProgress | undefined, signal: AbortSignal): Promise<OneConnectedModel> {
  const server = await serve({ model, port: 0, onProgress, signal });
  // The key in the environment is meant for someone else's server.
  const client = new ModelClient({ baseURL: server.url, apiKey: "none" });
  return { client, model: server.modelId, close: () => server.close() };
}
