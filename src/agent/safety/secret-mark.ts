import type { Screenshot } from "../computer/computer.js";
import { solidPixels, type Box } from "./changed-boxes.js";

/** A piece of a row of pixels this long is looked for elsewhere: part of it has no caret behind it. */
const PIECE_PX = 40;
/** With so many changes of colour it is text; a border or an empty field has two. */
const MIN_CHANGES = 6;
/** A moved text shows all pieces that are looked for, one that is half hidden at least some. */
const MAX_PIECES = 12;

/** A piece of what a secret looked like, and where it lay in its box. */
interface Piece {
  bytes: Buffer;
  changes: number;
  dx: number;
  dy: number;
}

/** What a secret looked like on the screen; found again wherever the same pixels are. */
export class SecretMark {
  readonly #box: Box;
  readonly #pieces: readonly Piece[];

  /** @param box where the secret is on the frame */
  constructor(shot: Screenshot, box: Box) {
    this.#box = box;
    this.#pieces = piecesOf(shot, box);
  }

  /** Where it is on another frame, which may begin or end in the middle of it. @param pixels the frame's `solidPixels`, as bytes */
  find(pixels: Buffer, widthPx: number): Box[] {
    return this.#pieces.flatMap((piece) => find(pixels, widthPx, piece).map(({ x, y }) => ({ ...this.#box, left: x - piece.dx, top: y - piece.dy })));
  }
}

function piecesOf(shot: Screenshot, { left, top, width, height }: Box): Piece[] {
  const pixels = solidPixels(shot);
  const length = Math.min(PIECE_PX, width);
  const found: Piece[] = [];
  for (let dy = 0; dy < height; dy++) {
    // Each row's best piece, so that a half hidden text is still found.
    let best: Piece | undefined;
    for (let dx = 0; dx + length <= width; dx += Math.max(1, length >> 1)) {
      const start = (top + dy) * shot.widthPx + left + dx;
      const changes = countChanges(pixels, start, length);
      if (changes >= MIN_CHANGES && changes > (best?.changes ?? 0)) best = { bytes: Buffer.from(pixels.slice(start, start + length).buffer), changes, dx, dy };
    }
    if (best) found.push(best);
  }
  const step = Math.max(1, found.length / MAX_PIECES);
  return Array.from({ length: Math.min(MAX_PIECES, found.length) }, (_, index) => found[Math.floor(index * step)]!);
}

function countChanges(pixels: Uint32Array, start: number, length: number): number {
  let changes = 0;
  for (let at = start + 1; at < start + length; at++) if (pixels[at] !== pixels[at - 1]) changes += 1;
  return changes;
}

/** Everywhere in a frame that a piece is, in whole pixels of one row. */
function find(bytes: Buffer, widthPx: number, piece: Piece): { x: number; y: number }[] {
  const places = [];
  for (let at = bytes.indexOf(piece.bytes); at >= 0; at = bytes.indexOf(piece.bytes, at + 1)) {
    const pixel = at / 4;
    const x = pixel % widthPx;
    if (Number.isInteger(pixel) && x + piece.bytes.length / 4 <= widthPx) places.push({ x, y: Math.floor(pixel / widthPx) });
  }
  return places;
}
