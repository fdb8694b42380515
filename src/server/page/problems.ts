/** What went wrong, as the page shows it: what happened, and what to do about it. */
export class Problem extends Error {
  readonly advice: string;
  /** What the page can offer to do. */
  readonly offer: "settings" | "retry" | undefined;

  constructor(message: string, advice: string, offer?: "settings" | "retry") {
    super(message);
    this.name = "Problem";
    this.advice = advice;
    this.offer = offer;
  }
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(error instanceof Error ? error.message : String(error), "Try again; reload the page if it happens once more.", "retry");
}

/** A request that failed: no response where the server could not be reached; `detail` is the body, or what the browser said. */
export function serverError(response: Response | undefined, detail: unknown): Problem {
  if (!response) return new Problem("The server does not answer.", "See whether it still runs (deskhand serve), then try again.", "retry");
  const { message, code } = errorOf(typeof detail === "string" ? detail : "");
  const says = message ?? `The server answered with status ${response.status}.`;
  if (code === "context_length_exceeded") return new Problem(says, "Begin a new chat, or leave out pictures.");
  switch (response.status) {
    case 401:
      return new Problem("This server has a key.", "Put the key it was started with into the settings.", "settings");
    case 404:
      return new Problem(says, "Choose another model above.");
    case 413:
      return new Problem(says, "Send fewer or smaller pictures.");
    case 429:
      return new Problem("The server is busy with other requests.", `Try again${retryAfter(response)}.`, "retry");
    case 503:
      return new Problem(says, `Try again${retryAfter(response)}.`, "retry");
  }
  if (response.status < 500) return new Problem(says, "Change the message or the settings, then send it again.", "settings");
  return new Problem(says, "Try again; the server's log says more.", "retry");
}

/** A stream that broke: with the error it ended with, or without any. */
export function streamError(error?: { message: string }): Problem {
  if (error) return new Problem(error.message, "What came until then is kept. Try again.", "retry");
  return new Problem("The connection ended before the answer did.", "What came until then is kept. Try again.", "retry");
}

function retryAfter(response: Response): string {
  const seconds = Number(response.headers.get("retry-after"));
  return seconds > 0 ? ` in ${seconds} ${seconds === 1 ? "second" : "seconds"}` : " shortly";
}

function errorOf(body: string): { message?: string; code?: string } {
  try {
    return (JSON.parse(body) as { error: { message?: string; code?: string } }).error;
  } catch {
    return {};
  }
}
