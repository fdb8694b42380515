import { APPLICATIONS } from "../scene.js";
import type { Task } from "../task.js";
import { FORMS, LOOKING } from "./looking.js";
import { POINTING } from "./pointing.js";
import { TERMINAL } from "./terminal.js";
import { TYPING } from "./typing.js";

/** All tasks, those of one application after each other. */
export const TASKS: readonly Task[] = [...POINTING, ...TYPING, ...LOOKING, ...FORMS, ...TERMINAL].toSorted((a, b) => APPLICATIONS.indexOf(a.application) - APPLICATIONS.indexOf(b.application));

export { FORMS };
