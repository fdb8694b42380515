import { html, type Markup } from "../recorder/html.js";

/** What stands below a picture. */
export interface Caption {
  /** In front, e.g. `3 / 7`. */
  mark: string;
  words: string;
  /** A second, softer line. */
  detail?: string;
  tone?: "good" | "bad";
}

const GROUND = "#16181b";
const MARK_COLOURS = { plain: "#98a1aa", good: "#7fdca4", bad: "#ff9d94" };

/** Of the film's width. */
const FONT_SHARE = 1 / 46;
const MIN_FONT_PX = 11;
const LINES = 3.4;

export function captionHeight(width: number): number {
  // Films want even sides.
  return Math.round((fontSize(width) * LINES) / 2) * 2;
}

/** The band with a caption, as wide as the film. */
export function drawCaption({ mark, words, detail, tone }: Caption, width: number): Markup {
  const size = fontSize(width);
  const height = captionHeight(width);
  const left = size;
  const beside = left + widthOf(mark, size) + size;
  const room = width - size;
  const text = (x: number, y: number, style: string, content: string) => html`<text x="${x}" y="${y}" font-size="${size}" style="${style}">${cut(content, room - x, size)}</text>`;
  return html`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="${width}" height="${height}" fill="${GROUND}"/><g font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif">${[
    text(left, size * 1.5, `font-weight:bold;fill:${MARK_COLOURS[tone ?? "plain"]}`, mark),
    text(beside, size * 1.5, "font-weight:bold;fill:#fff", words),
    detail === undefined ? undefined : text(beside, size * 2.8, "fill:#b9c0c7", detail),
  ]}</g></svg>`;
}

function fontSize(width: number): number {
  return Math.max(MIN_FONT_PX, Math.round(width * FONT_SHARE));
}

/** One line that fits, by how wide characters usually are: whatever font there is. */
function cut(text: string, room: number, size: number): string {
  const chars = [...text.replace(/\s+/g, " ").trim()];
  let used = 0;
  for (const [index, char] of chars.entries()) {
    used += widthOf(char, size);
    if (used > room - size && index < chars.length - 1) return `${chars.slice(0, index).join("")}…`;
  }
  return chars.join("");
}

function widthOf(text: string, size: number): number {
  // Letters of East Asia, and pictures, are as wide as they are high.
  return [...text].reduce((sum, char) => sum + (/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60]|\p{Extended_Pictographic}/u.test(char) ? 1.05 : 0.54), 0) * size;
}
