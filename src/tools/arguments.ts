import { InvalidArgumentError } from "commander";

/** Parsers of option values; what they refuse is bad usage. */

export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) throw new InvalidArgumentError(`Expected a whole number from ${min}${max === Number.MAX_SAFE_INTEGER ? "" : ` to ${max}`}.`);
    return value;
  };
}

export function decimalNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= min && value <= max)) throw new InvalidArgumentError(`Expected a number from ${min} to ${max}.`);
    return value;
  };
}

/** For options that may be given several times. */
export function collect(text: string, earlier: string[] = []): string[] {
  return [...earlier, text];
}

const BYTE_UNITS: Record<string, number> = { "": 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 };

/** `12GB`, `1.5GiB` or a number of bytes. */
export function byteSize(text: string): number {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?) *([a-z]*)$/i.exec(text) ?? [];
  const bytes = Number(number) * (BYTE_UNITS[unit.toLowerCase()] ?? NaN);
  if (number === "" || !(bytes >= 1)) throw new InvalidArgumentError("Expected an amount such as 12GB or 1.5GiB.");
  return Math.floor(bytes);
}

/** As `byteSize`, and 0 for `off`. */
export function byteSizeOrOff(text: string): number {
  return text === "off" || text === "0" ? 0 : byteSize(text);
}

const TIME_UNITS_MS: Record<string, number> = { ms: 1, s: 1_000, "": 1_000, m: 60_000, h: 3_600_000 };

/** `90`, `90s`, `15m` or `2h`, in milliseconds. */
export function duration(text: string): number {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?) *([a-z]*)$/i.exec(text) ?? [];
  const ms = Number(number) * (TIME_UNITS_MS[unit.toLowerCase()] ?? NaN);
  // Timers hold no more.
  if (number === "" || !(ms < 2 ** 31)) throw new InvalidArgumentError("Expected a time such as 90s, 15m or 2h.");
  return Math.round(ms);
}

/** `NAME=VALUE`, for options that may be given several times. */
export function collectPairs(text: string, earlier: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError("Expected NAME=VALUE.");
  return { ...earlier, [text.slice(0, at)]: text.slice(at + 1) };
}

/** `x,y,width,height` in whole pixels; the first two may be negative. */
export function desktopRegion(text: string): { x: number; y: number; width: number; height: number } {
  const [, x, y, width, height] = (/^(-?\d+),(-?\d+),(\d+),(\d+)$/.exec(text.replaceAll(" ", "")) ?? []).map(Number);
  if (x === undefined || y === undefined || !width || !height) throw new InvalidArgumentError("Expected x,y,width,height in whole pixels, for example 0,0,800,600.");
  return { x, y, width, height };
}

/** For --display: anything but the two words is a monitor of the current display. */
export function displayOptions(display: string | undefined): { display?: "virtual" | "current"; monitor?: string } {
  return display === undefined || display === "virtual" || display === "current" ? { display } : { display: "current", monitor: display };
}
