import { part } from "../../../server/page/dom.js";
import { switchTheme } from "../../../server/page/theme.js";
import { Connection, type Link } from "./connection.js";
import { Controls } from "./controls.js";
import { HeardView } from "./heard-view.js";
import { QuestionView } from "./question-view.js";
import { ScreenView } from "./screen-view.js";
import { StatusView } from "./status-view.js";
import { StepsView } from "./steps-view.js";
import { Story } from "./story.js";

const CLOCK_MS = 500;

const story = new Story();
const connection = new Connection();
const heard = new HeardView();
const status = new StatusView();
const controls = new Controls(connection);
const question = new QuestionView(connection);
const screen = new ScreenView(connection);
const steps = new StepsView(show);
let link: Link = "connecting";
let isDue = false;

function show(): void {
  status.show(story, link);
  heard.show(story);
  controls.show(story, link === "open");
  question.show(link === "open" ? story.question : undefined);
  steps.show(story);
  screen.show(steps.shown(story), story.run ? "Looking at the screen" : "The screen appears here.");
}

/** Words come faster than anybody reads: all that came meanwhile is shown at once. A hidden page shows nothing but its title. */
function showSoon(): void {
  if (document.hidden) return show();
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    show();
  });
}

part("switch-theme", HTMLButtonElement).addEventListener("click", switchTheme);
setInterval(() => story.run && !story.result && status.show(story, link), CLOCK_MS);
show();
void connection.follow(
  (event) => {
    if (event.type === "run") {
      screen.forget();
      steps.forget();
    }
    story.apply(event);
    showSoon();
  },
  (now) => {
    link = now;
    showSoon();
  },
  () => story.isOver,
);
