import type { Prompt } from "./dialects/prompt.js";
import { completeMessage } from "./messages-client.js";
import type { ModelClient, ModelReply, ModelRequest } from "./model-client.js";
import { completeResponse } from "./responses-client.js";

/** What a request needs beside its prompt. */
export type AskOptions = Pick<ModelRequest, "sampling" | "signal" | "onText" | "onReasoning">;

/** Sends a prompt through the interface it is written for. @throws DeskhandError `model_server`, `cancelled`. */
export function askModel(client: ModelClient, model: string, prompt: Prompt, options: AskOptions): Promise<ModelReply> {
  switch (prompt.api) {
    case "chat":
      return client.complete(model, { ...options, messages: prompt.messages, tools: prompt.tools });
    case "responses":
      return completeResponse(client, model, prompt, options);
    case "messages":
      return completeMessage(client, model, prompt, options);
  }
}
