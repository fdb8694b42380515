import { APIConnectionError, APIError, APIUserAbortError } from "openai";
import { DeskhandError, isDeskhandError, messageOf } from "../core/errors.js";

/** Shorter ones, such as "none", are no secrets. */
const MIN_KEY_CHARACTERS = 8;

export interface ServerAddress {
  baseURL: string;
  /** How the address was given, for messages. */
  addressOption?: string;
  /** Goes into no message, even where the server repeats it. */
  apiKey?: string;
}

/** What the connection or the server got wrong, as a `model_server` error that says what to do; `cancelled` for an abort. */
export function explainServerError(error: unknown, { baseURL, addressOption = "--base-url", apiKey = "" }: ServerAddress): DeskhandError {
  if (isDeskhandError(error) && error.code !== "model_server") return error;
  const hidden = (text: string) => (apiKey.length < MIN_KEY_CHARACTERS ? text : text.replaceAll(apiKey, "(the key)"));
  const wrap = (happened: string, advice: string) =>
    new DeskhandError("model_server", `Expected an answer from the model server at ${baseURL} but ${hidden(happened)}. ${advice}`, { cause: error });
  if (isConnectionRefused(error)) return wrap("the connection was refused", `Is it running? Start one with \`deskhand serve\`, or check the address given with ${addressOption}.`);
  if (error instanceof APIUserAbortError) return new DeskhandError("cancelled", "The request to the model was cancelled.", { cause: error });
  if (error instanceof APIConnectionError) return wrap(`the connection failed: ${rootMessage(error)}`, `Check the address given with ${addressOption} and the server's log.`);
  if (isAPIError(error)) {
    const status = error.status === undefined ? "an error in mid-stream" : `status ${error.status}`;
    return wrap(`it gave ${status}: ${detailOf(error)}`, adviceFor(error.status));
  }
  return wrap(`the answer could not be read: ${messageOf(error)}`, "Check that the address is that of an OpenAI-compatible server.");
}

/** Whether a server would say the same to the same request again. */
export function isRefusal(error: unknown): boolean {
  return [...causes(error)].some((at) => isAPIError(at) && [400, 404, 413, 415, 422].includes(at.status ?? 0));
}

/** An address without a path means the usual `/v1`. */
export function toBaseURL(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new DeskhandError("invalid_argument", `Expected a base URL such as http://127.0.0.1:8000/v1 but received ${JSON.stringify(address)}.`, { param: "baseURL" });
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new DeskhandError("invalid_argument", "Expected a base URL without a user, a password or a query, since it is recorded, but it has one. Give a key as apiKey, or as OPENAI_API_KEY in the environment.", { param: "baseURL" });
  }
  if (url.pathname === "/") url.pathname = "/v1";
  return url.href.replace(/\/$/, "");
}

function* causes(error: unknown): Iterable<Error> {
  for (let at = error; at instanceof Error; at = at.cause) {
    yield at;
    if (at instanceof AggregateError) for (const inner of at.errors as unknown[]) yield* causes(inner);
  }
}

/** A plain `instanceof` leaves its fields untyped. */
function isAPIError(error: unknown): error is APIError {
  return error instanceof APIError;
}

export function isConnectionRefused(error: unknown): boolean {
  return [...causes(error)].some((at) => (at as NodeJS.ErrnoException).code === "ECONNREFUSED");
}

function rootMessage(error: unknown): string {
  return [...causes(error)].at(-1)?.message ?? messageOf(error);
}

/** The server's own words, without the status the client puts before them. */
function detailOf(error: APIError): string {
  const body: unknown = error.error;
  const message = typeof body === "object" && body !== null && "message" in body ? body.message : undefined;
  return (typeof message === "string" ? message : error.message).replace(/\.$/, "");
}

function adviceFor(status: number | undefined): string {
  if (status === 401 || status === 403) return "Give the key it expects (apiKey, or OPENAI_API_KEY in the environment).";
  if (status === 404) return "Check the model's name (--model) and that the address ends where the API begins, usually in /v1.";
  if (status === 429) return "It is busy: try again later.";
  if (status === 503) return "It is not ready: try again shortly.";
  if (status !== undefined && status < 500) return "Change what it names.";
  return "See the server's log for what went wrong.";
}
