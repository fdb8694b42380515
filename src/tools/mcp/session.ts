import type { Server } from "@modelcontextprotocol/sdk/server/index.js";
import type { RequestHandlerExtra } from "@modelcontextprotocol/sdk/shared/protocol.js";
import type { CallToolResult, ServerNotification, ServerRequest } from "@modelcontextprotocol/sdk/types.js";
import type { Approver } from "../../agent/safety/approver.js";
import type { CoordinateChain } from "../../agent/coordinates.js";
import type { SeenFrame } from "../../agent/safety/stale-screen.js";
import type { Holder } from "./desk.js";
import { elicitingApprover } from "./elicitation.js";

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** One call of a client, and how to reach it meanwhile. */
export class Call {
  readonly signal: AbortSignal;
  readonly #extra: Extra;
  #progress = 0;

  constructor(extra: Extra, closing: AbortSignal) {
    this.#extra = extra;
    this.signal = AbortSignal.any([extra.signal, closing]);
  }

  get id(): Extra["requestId"] {
    return this.#extra.requestId;
  }

  /** Tells a client that asked for it how far things are; the numbers only grow. */
  async tell(message: string, progress = this.#progress + 0.001, total?: number): Promise<void> {
    const progressToken = this.#extra._meta?.progressToken;
    if (progressToken === undefined) return;
    this.#progress = Math.max(progress, this.#progress + 0.001);
    // A client that is gone misses nothing.
    await this.#extra.sendNotification({ method: "notifications/progress", params: { progressToken, progress: this.#progress, message, ...(total !== undefined && { total }) } }).catch(() => undefined);
  }
}

/** One connection of a client. */
export class Session implements Holder {
  readonly #server: Server;
  readonly #terminal: Approver | undefined;
  /** The call that uses mouse and keyboard: a person is asked in its name. */
  #call: Call | undefined;
  /** From the pixels of the picture that the client saw last. */
  chain: CoordinateChain | undefined;
  /** The screen on that picture; undefined when the client has acted since without looking. */
  screen: SeenFrame | undefined;
  /** How many actions in a row were not done because the screen had changed at their target. */
  freshLooks = 0;

  constructor(server: Server, terminal: Approver | undefined) {
    this.#server = server;
    this.#terminal = terminal;
  }

  get name(): string {
    const client = this.#server.getClientVersion();
    return client ? `another session (${client.name})` : "another session";
  }

  /** The client's user where the client can ask, else whoever sits at the terminal. */
  get approver(): Approver | undefined {
    const canAsk = this.#server.getClientCapabilities()?.elicitation?.form !== undefined;
    return canAsk ? elicitingApprover(this.#server, () => this.#call) : this.#terminal;
  }

  /** Questions of this call's work are asked in its name. */
  async during<T>(call: Call, work: () => Promise<T>): Promise<T> {
    this.#call = call;
    try {
      return await work();
    } finally {
      this.#call = undefined;
    }
  }
}

/** A tool's result in words. */
export function textResult(text: string, more: Partial<CallToolResult> = {}): CallToolResult {
  return { content: [{ type: "text", text }], ...more };
}
