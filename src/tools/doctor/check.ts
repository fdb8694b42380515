/** One line of the doctor's report. */
export interface Check {
  /** Stable, for `--json`. */
  id: string;
  title: string;
  /** `fail`: something that is needed does not work; `warn`: something one can do without. */
  status: "ok" | "warn" | "fail";
  /** What was found. */
  found: string;
  /** What to do about it, in words or as a command. */
  mend?: string;
}

/** The report as a table: status, title, what was found, and below it what mends it. */
export function formatChecks(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ title }) => title.length));
  const indent = " ".repeat(width + 8);
  return checks.map(({ status, title, found, mend }) => `${status.padEnd(4)}  ${title.padEnd(width)}  ${found}\n${mend === undefined ? "" : `${indent}→ ${mend}\n`}`).join("");
}

/** 0 when nothing that is needed fails, else 1. */
export function exitCodeOf(checks: readonly Check[]): number {
  return checks.some(({ status }) => status === "fail") ? 1 : 0;
}
