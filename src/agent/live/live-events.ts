import type { Drawing } from "../recorder/shape.js";

/** What the live page is told, in its order. This file knows nothing else: it belongs to the server's side and to the browser's. */
export type LiveEvent =
  | { type: "run"; task: string; model: string; display: string; dryRun: boolean; startedAt: string; maxSteps: number; maxSeconds?: number; maxTokens?: number }
  | { type: "looking"; step: number }
  | { type: "screen"; step: number; screen: LiveScreen }
  /** The model is asked; with a target: to find that. */
  | { type: "reply"; step: number; target?: string }
  | { type: "words"; step: number; text: string }
  | { type: "thinking"; step: number; text: string }
  | { type: "replied"; step: number; text: string }
  | { type: "refused"; step: number; reason: string }
  | { type: "planned"; step: number; plan: LivePlan }
  | { type: "step"; step: number; view: LiveStep }
  | { type: "tokens"; tokens: number }
  | { type: "mode"; mode: "running" | "paused" | "stepping"; reason?: string }
  /** Where runs are asked for by voice: what was heard last, the newest at the end. */
  | { type: "heard"; said: string[]; ended?: true }
  /** Without a question: nobody is asked any more. */
  | { type: "asking"; question?: LiveQuestion }
  | { type: "result"; success: boolean; reason: string; answer?: string; durationMs: number };

/** Size of what the picture of a step shows. */
export interface LiveScreen {
  width: number;
  height: number;
}

export interface LivePlan {
  title: string;
  /** Each action in words. */
  actions: string[];
  drawing?: Drawing;
}

/** A step that has ended. */
export interface LiveStep extends LivePlan {
  screen?: LiveScreen;
  replies: { target?: string; text: string; refused?: string }[];
  /** What the safety kernel noted, and functions of the program returned. */
  notes: string[];
  notDone?: string;
  error?: string;
  totalMs: number;
}

/** What a person is asked. An approval has a picture of its target, and where on it the action aims, in parts of its sides. */
export type LiveQuestion =
  | { id: string; kind: "approval"; step: number; description: string; risks: string[]; mark?: { x: number; y: number } }
  | { id: string; kind: "words"; text: string };
