import type { Action, Point } from "../actions.js";
import { harmRisks, type Risk } from "./risk.js";

/** What a model has read on the control at a place. */
export interface Reading {
  /** As the model gave it; empty where nothing is written. */
  text: string;
  /** Why nobody could tell. */
  failed?: string | undefined;
}

/** Reads what is written at a place, on the screen as it is now. Undefined where no model can be asked. */
export type ReadLabel = (at: Point, signal: AbortSignal) => Promise<Reading | undefined>;

/** Longer ones are no labels; enough of them to know what it is. */
const MAX_LABEL = 120;
/** Of a server's words on what went wrong. */
const MAX_FAILURE = 300;

/** Where an action presses something, or drops it; undefined for all other actions. @param points where the pointer acts */
export function pressedPlace({ type }: Action, points: readonly Point[]): Point | undefined {
  if (type === "click" || type === "mouse_down") return points[0];
  return type === "drag" ? points.at(-1) : undefined;
}

/**
 * What a label adds to the risks of pressing it. It is the screen's word: it may make an action risky and never the other way round, and
 * whatever else it says is only quoted.
 */
export function labelRisks({ text, failed }: Reading, asked: string | undefined): Risk[] {
  if (failed !== undefined) return [{ kind: "unread", why: `presses a control that could not be read: ${quote(plain(failed), MAX_FAILURE)}` }];
  const label = plain(text);
  return harmRisks(label, asked, `: the control under the pointer says ${quote(label, MAX_LABEL)}`);
}

/** As people see it: letters in one form, and nothing between them that is not there for the eye. */
function plain(text: string): string {
  return text.normalize("NFKC").replace(/\s+/g, " ").replace(/[\p{Cc}\p{Cf}]/gu, "").trim();
}

function quote(text: string, longest: number): string {
  const chars = [...text];
  return JSON.stringify(chars.length > longest ? `${chars.slice(0, longest).join("")}…` : text);
}
