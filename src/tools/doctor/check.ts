import { messageOf } from "../../core/errors.js";

/** One line of the doctor's report. */
export interface Check {
  /** Stable, for `--json`. */
  id: string;
  title: string;
  /** `fail`: something that is needed does not work; `warn`: something one can do without; `unknown`: it could not be found out. */
  status: "ok" | "warn" | "fail" | "unknown";
  /** What was found. */
  found: string;
  /** What to do about it, in words or as a command. */
  mend?: string;
}

/** The report as a table: status, title, what was found, and below it what mends it. */
export function formatChecks(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ title }) => title.length));
  const indent = " ".repeat(width + 11);
  return checks.map(({ status, title, found, mend }) => `${status.padEnd(7)}  ${title.padEnd(width)}  ${found}\n${mend === undefined ? "" : `${indent}→ ${mend}\n`}`).join("");
}

/** 0 when nothing that is needed fails, else 1. */
export function exitCodeOf(checks: readonly Check[]): number {
  return checks.some(({ status }) => status === "fail") ? 1 : 0;
}

/** What checks say, when they say it in time; else, or when one breaks, that it is not known. */
export async function bounded(about: Pick<Check, "id" | "title">, timeoutMs: number, work: (signal: AbortSignal) => Check[] | Promise<Check[]>): Promise<Check[]> {
  const timeout = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Check[]>((resolve) => {
    timer = setTimeout(() => {
      timeout.abort(new Error("the doctor waits no longer"));
      resolve([{ ...about, status: "unknown", found: `no answer within ${timeoutMs / 1000} s` }]);
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(timeout.signal), late]);
  } catch (error) {
    return [{ ...about, status: "unknown", found: `could not be found out: ${messageOf(error)}` }];
  } finally {
    clearTimeout(timer);
  }
}
