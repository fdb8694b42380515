import type { Action, Point, Region } from "../actions.js";
import type { Size } from "../coordinates.js";
import type { ParsedAction } from "../dialects/dialect.js";
import { shownRegion, type Scene } from "../scene.js";
import { html, Markup } from "./html.js";
import { OVERLAY_STYLE } from "./overlay-style.js";
import type { Drawing, Shape } from "./shape.js";

/** Longest label drawn on a picture; the whole text stands beside it. */
const LABEL_CHARS = 36;

type Done = readonly Pick<ParsedAction, "action">[];

/** A step's actions, to lie over the picture of its scene on a page that has the marks' style. */
export function drawActions(actions: Done, scene: Scene): Markup {
  const { width, height, shapes } = drawingOf(actions, scene);
  return html`<svg viewBox="0 0 ${width} ${height}" class="overlay" preserveAspectRatio="none" aria-hidden="true">${shapes.map(toMarkup)}</svg>`;
}

/** The same as a picture of its own, of this size in pixels. */
export function drawActionsAlone(actions: Done, scene: Scene, size: Size): Markup {
  const { width, height, shapes } = drawingOf(actions, scene);
  return html`<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" viewBox="0 0 ${width} ${height}" class="overlay" preserveAspectRatio="none"><style>${new Markup(OVERLAY_STYLE)}</style>${shapes.map(toMarkup)}</svg>`;
}

/** The same as shapes, in the display's logical pixels. */
export function drawingOf(actions: Done, scene: Scene): Drawing {
  const region = shownRegion(scene);
  const shapes: Shape[] = [];
  let at = scene.pointer;
  for (const { action } of actions) {
    shapes.push(...[drawAction(action, at, region)].flat());
    at = pointerAfter(action, at);
  }
  return { width: region.width, height: region.height, shapes };
}

function toMarkup({ tag, attributes, children = [], text }: Shape): Markup {
  const pairs = Object.entries(attributes).map(([name, value]) => html` ${new Markup(name)}="${value}"`);
  return html`<${new Markup(tag)}${pairs}>${children.map(toMarkup)}${text}</${new Markup(tag)}>`;
}

/** Whether an action shows on a picture at all. */
export function isDrawn({ type }: Action): boolean {
  return !["screenshot", "wait", "call", "answer", "terminate"].includes(type);
}

function pointerAfter(action: Action, at: Point): Point {
  if (action.type === "move" || action.type === "drag") return action.to;
  return ("at" in action ? action.at : undefined) ?? at;
}

function drawAction(action: Action, cursor: Point, region: Region): Shape | Shape[] {
  // The middle of a pixel.
  const local = (point: Point) => ({ x: point.x - region.x + 0.5, y: point.y - region.y + 0.5 });
  const unit = Math.max(region.width, region.height) / 100;
  const here = local(cursor);
  switch (action.type) {
    case "click": {
      const at = local(action.at ?? cursor);
      const words = [...(action.held ?? []), action.button === "left" ? "" : action.button, action.count > 1 ? `× ${action.count}` : ""].filter((word) => word !== "");
      const beside = unit * (at.y + unit * 9 < region.height ? 6 : -6);
      return [target(at, unit), ...(words.length > 0 ? [label({ x: at.x, y: at.y + beside }, words.join(" "), unit, region)] : [])];
    }
    case "move":
      return target(local(action.to), unit);
    case "drag": {
      const points = [action.from ?? cursor, ...(action.via ?? []), action.to].map(local);
      const arrows = points.slice(1).map((point, index) => arrow(points[index]!, point, unit));
      return [...arrows, target(points.at(-1)!, unit)];
    }
    case "mouse_down":
    case "mouse_up": {
      const at = local(action.at ?? cursor);
      return [target(at, unit), label({ x: at.x, y: at.y + unit * 6 }, `${action.button} ${action.type === "mouse_down" ? "↓" : "↑"}`, unit, region)];
    }
    case "scroll": {
      const at = local(action.at ?? cursor);
      const reach = (clicks: number) => -Math.sign(clicks) * unit * 9;
      return arrow(at, { x: at.x + reach(action.left), y: at.y + reach(action.up) }, unit);
    }
    case "type":
      return label(here, `⌨ ${action.text}`, unit, region);
    case "key":
      return label(here, `⌨ ${action.keys.join(" + ")}`, unit, region);
    case "hold_key":
      return label(here, `⌨ ${action.keys.join(" + ")}, ${action.ms / 1000} s`, unit, region);
    case "key_down":
    case "key_up":
      return label(here, `⌨ ${action.keys.join(" + ")} ${action.type === "key_down" ? "↓" : "↑"}`, unit, region);
    case "zoom": {
      const { x, y } = { x: action.region.x - region.x, y: action.region.y - region.y };
      const frame = `M${x} ${y}h${action.region.width}v${action.region.height}h${-action.region.width}z`;
      return mark(path("halo", frame), path("line", frame));
    }
    case "ask":
      return label(here, `? ${action.question}`, unit, region);
    case "screenshot":
    case "wait":
    case "answer":
    case "call":
    case "terminate":
      return [];
  }
}

function mark(...children: Shape[]): Shape {
  return { tag: "g", attributes: { class: "mark" }, children };
}

function path(kind: "halo" | "line", d: string): Shape {
  return { tag: "path", attributes: { class: kind, d } };
}

function circle(kind: "halo" | "line" | "dot", { x, y }: Point, r: number): Shape {
  return { tag: "circle", attributes: { class: kind, cx: x, cy: y, r } };
}

function target({ x, y }: Point, unit: number): Shape {
  const [outer, inner] = [unit * 2.2, unit * 0.45];
  const cross = `M${x - outer * 1.5} ${y}h${outer * 0.9}M${x + outer * 1.5} ${y}h${-outer * 0.9}M${x} ${y - outer * 1.5}v${outer * 0.9}M${x} ${y + outer * 1.5}v${-outer * 0.9}`;
  const at = { x, y };
  return mark(circle("halo", at, outer), path("halo", cross), circle("line", at, outer), path("line", cross), circle("dot", at, inner));
}

function arrow(from: Point, to: Point, unit: number): Shape {
  const angle = Math.atan2(to.y - from.y, to.x - from.x);
  const wing = (turn: number) => `${to.x - unit * 2 * Math.cos(angle + turn)} ${to.y - unit * 2 * Math.sin(angle + turn)}`;
  const line = `M${from.x} ${from.y}L${to.x} ${to.y}M${wing(0.5)}L${to.x} ${to.y}L${wing(-0.5)}`;
  return mark(path("halo", line), path("line", line), circle("dot", from, unit * 0.5));
}

/** A bubble around the point, kept inside the picture. */
function label(at: Point, text: string, unit: number, region: Region): Shape {
  const chars = [...text.replace(/\s+/g, " ")];
  const short = chars.length > LABEL_CHARS ? `${chars.slice(0, LABEL_CHARS).join("")}…` : chars.join("");
  const size = unit * 2.2;
  const width = ([...short].length * 0.62 + 1.4) * size;
  const height = size * 1.8;
  const x = Math.max(0, Math.min(at.x - width / 2, region.width - width));
  const y = Math.max(0, Math.min(at.y - height / 2, region.height - height));
  const box: Shape = { tag: "rect", attributes: { x, y, width, height, rx: size * 0.5 } };
  return { tag: "g", attributes: { class: "label" }, children: [box, { tag: "text", attributes: { x: x + width / 2, y: y + size * 1.25, "font-size": size, "text-anchor": "middle" }, text: short }] };
}
