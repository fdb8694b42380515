import { readFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { DeskhandError, isDeskhandError } from "../../core/errors.js";
import { parseWith } from "../../core/json.js";
import { sseEvent, writeAtReadersPace } from "../../server/sse.js";
import type { RunController } from "../safety/run-controller.js";
import type { LiveApprover } from "./live-approver.js";
import type { LiveLog } from "./live-log.js";
import type { LiveStory } from "./live-story.js";

/** More windows than a person looks at. */
const MAX_WATCHERS = 16;
/** A page that takes nothing for so long is let go; it asks again when it can. */
const STALL_TIMEOUT_MS = 30_000;
const MAX_REASON = 2000;

const Steering = z.strictObject({ do: z.enum(["pause", "resume", "step", "stop"]) });
const Answer = z.union([
  z.strictObject({ verdict: z.enum(["approve", "refuse", "stop"]), reason: z.string().trim().max(MAX_REASON).optional() }),
  z.strictObject({ words: z.string().trim().max(MAX_REASON) }),
]);
const StepNumber = z.coerce.number().int().positive();

/** Headers of whatever is shown: kept by nobody, read by no page of elsewhere. */
export const PRIVATE = { "cache-control": "no-store", "cross-origin-resource-policy": "same-origin", "x-content-type-options": "nosniff" };

export interface LiveParts {
  log: LiveLog;
  story: LiveStory;
  approver: LiveApprover;
  controller: RunController;
}

/** What the page asks for and says; all of it needs the token. */
export function registerLive(app: FastifyInstance, { log, story, approver, controller }: LiveParts): void {
  let watchers = 0;

  app.get("/events", async (request, reply) => {
    if (watchers >= MAX_WATCHERS) throw new DeskhandError("queue_full", `Expected at most ${MAX_WATCHERS} pages to watch at once. Close one.`);
    watchers += 1;
    reply.hijack();
    try {
      const lastSeen = Number(request.headers["last-event-id"]);
      await sendEvents(reply.raw, log, Number.isSafeInteger(lastSeen) ? lastSeen : 0);
    } finally {
      watchers -= 1;
    }
  });

  app.get<{ Params: { step: string } }>("/pictures/:step", async (request, reply) => {
    const step = StepNumber.safeParse(request.params.step).data;
    const file = step === undefined ? undefined : story.picture(step);
    if (!file) throw new DeskhandError("not_found", "There is no picture of this step.");
    return reply.type("image/png").send(await readFile(join(file.dir, file.name)));
  });

  app.get<{ Params: { id: string } }>("/questions/:id/picture", async (request, reply) => reply.type("image/png").send(approver.picture(request.params.id)));

  app.post("/steer", async (request, reply) => {
    const { do: wanted } = parseWith(Steering, request.body, "The request");
    steer(controller, wanted);
    return reply.code(204).send();
  });

  app.post<{ Params: { id: string } }>("/questions/:id", async (request, reply) => {
    const said = parseWith(Answer, request.body, "The request");
    // An empty answer is none.
    if ("words" in said) approver.answer(request.params.id, { words: said.words || undefined });
    else approver.answer(request.params.id, { verdict: said.verdict === "approve" ? { kind: "approve" } : { kind: said.verdict, ...(said.reason && { reason: said.reason }) } });
    return reply.code(204).send();
  });
}

function steer(controller: RunController, wanted: z.infer<typeof Steering>["do"]): void {
  switch (wanted) {
    case "pause":
      return controller.pause("Paused on the live page.");
    case "resume":
      return controller.resume();
    case "step":
      return controller.step();
    case "stop":
      return controller.stop("on the live page");
  }
}

/** What there is and what comes, at the reader's own pace, until the end or until it leaves. */
async function sendEvents(response: ServerResponse, log: LiveLog, lastSeen: number): Promise<void> {
  const left = new AbortController();
  response.once("close", () => left.abort(new DeskhandError("cancelled", "The page was closed.")));
  // Closed at the end: an idle connection would keep the server from closing.
  response.writeHead(200, { ...PRIVATE, "content-type": "text/event-stream; charset=utf-8", connection: "close" });
  response.flushHeaders();
  let seen = lastSeen;
  try {
    while (!left.signal.aborted) {
      const entries = log.after(seen);
      if (entries.length > 0) {
        await writeAtReadersPace(response, entries.map(({ id, event }) => `id: ${id}\n${sseEvent(event)}`).join(""), { signal: left.signal, stallTimeoutMs: STALL_TIMEOUT_MS });
        seen = entries.at(-1)!.id;
      } else if (log.ended) break;
      else await log.changed(left.signal);
    }
    response.end();
  } catch (error) {
    // A page that left, or takes nothing, cannot be told.
    response.destroy();
    if (!isDeskhandError(error)) throw error;
  }
}
