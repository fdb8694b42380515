import sharp from "sharp";
import type { Region } from "../../agent/actions.js";
import type { Display, Screenshot } from "../../agent/computer/index.js";
import type { Size } from "../../agent/coordinates.js";

/** Words that differ at a glance. */
const LABELS = ["Save", "Open", "Print", "Search", "Settings", "Help", "Upload", "Refresh", "Account"];
const COLUMNS = 3;
const HEADER_PX = 30;

export interface DrawnButton {
  label: string;
  place: Region;
}

/** A window full of buttons that nobody has to open. */
export interface DrawnScreen {
  shot: Screenshot;
  display: Display;
  buttons: DrawnButton[];
}

/** Nine buttons of different sizes all over the screen, always the same for a size. */
export async function drawScreen({ width, height }: Size): Promise<DrawnScreen> {
  const cell = { width: width / COLUMNS, height: (height - HEADER_PX) / COLUMNS };
  const buttons = LABELS.map((label, index): DrawnButton => {
    const [column, row] = [index % COLUMNS, Math.floor(index / COLUMNS)];
    // Not on a grid: a wrong scale must not hit a neighbour by chance.
    const [shiftX, shiftY] = [((index * 7) % 9) / 9, ((index * 5) % 9) / 9];
    const size = { width: Math.round(76 + label.length * 5), height: 34 };
    return { label, place: { x: Math.round(column * cell.width + 8 + shiftX * (cell.width - size.width - 16)), y: Math.round(HEADER_PX + row * cell.height + 8 + shiftY * (cell.height - size.height - 16)), ...size } };
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <rect width="${width}" height="${height}" fill="#f6f5f4"/>
    <rect width="${width}" height="${HEADER_PX}" fill="#dad6d2"/>
    ${text("Tools", width / 2, HEADER_PX / 2, "bold")}
    ${buttons.map(({ label, place: { x, y, width: w, height: h } }) => `<rect x="${x + 0.5}" y="${y + 0.5}" width="${w - 1}" height="${h - 1}" rx="5" fill="#edebe9" stroke="#b6aca4"/>${text(label, x + w / 2, y + h / 2)}`).join("\n")}
  </svg>`;
  const { data, info } = await sharp(Buffer.from(svg)).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return { shot: { data, widthPx: info.width, heightPx: info.height }, display: { id: "drawn", x: 0, y: 0, width, height, scale: 1 }, buttons };
}

function text(words: string, x: number, y: number, weight = "normal"): string {
  return `<text x="${x}" y="${y}" font-family="DejaVu Sans, Cantarell, Helvetica, Arial, sans-serif" font-size="14" font-weight="${weight}" fill="#2e3436" text-anchor="middle" dominant-baseline="central">${words}</text>`;
}
