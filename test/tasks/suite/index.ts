import { APPLICATIONS } from "../scene.js";
import type { Task } from "../task.js";
import { FORMS, LOOKING } from "./looking.js";
import { POINTING, POINTING_ELSEWHERE } from "./pointing.js";
import { TERMINAL, TERMINAL_ELSEWHERE } from "./terminal.js";
import { TYPING, TYPING_ELSEWHERE } from "./typing.js";

/** For agents of every kind: each action in some of the applications. Those of one application stand after each other. */
export const TASKS = byApplication([...POINTING, ...TYPING, ...LOOKING, ...FORMS, ...TERMINAL]);

/** The same actions in the other applications. They tell whether mouse and keyboard work there, and nothing more about a model. */
export const ELSEWHERE = byApplication([...POINTING_ELSEWHERE, ...TYPING_ELSEWHERE, ...TERMINAL_ELSEWHERE]);

function byApplication(tasks: readonly Task[]): readonly Task[] {
  return tasks.toSorted((a, b) => APPLICATIONS.indexOf(a.application) - APPLICATIONS.indexOf(b.application));
}

export { FORMS };
