/** One measured figure. */
export interface Figure {
  name: string;
  value: number;
  unit: string;
}

/** The middle value; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Figures as a table for people. */
export function table(figures: readonly Figure[]): string {
  const width = Math.max(...figures.map(({ name }) => name.length));
  return figures.map(({ name, value, unit }) => `${name.padEnd(width)}  ${format(value).padStart(10)} ${unit}`).join("\n");
}

function format(value: number): string {
  return value.toLocaleString("en", { maximumSignificantDigits: 4, useGrouping: false });
}

/** The most memory this process has held. */
export function peakMemory(name: string): Figure {
  // maxRSS is in KiB on Linux and macOS alike, as libuv reports it.
  return { name, value: process.resourceUsage().maxRSS / 1024, unit: "MiB" };
}

/** How a case hands its figures to main.ts: each case is a process of its own, so that memory is its own too. */
export function emit(figures: readonly Figure[]): void {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
