import type { WindowInfo } from "../computer/computer.js";

/** Programs in which a typed line is a command, by parts of the names they go by. */
const TERMINALS = /term|konsole|alacritty|kitty|wezterm|ghostty|tilix|guake|yakuake|rxvt|xfce4-terminal|powershell|pwsh|cmd\.exe|command prompt|mintty|foot|warp|hyper/i;

/** Whether a window belongs to a terminal. */
export function isTerminal({ applications, title }: WindowInfo): boolean {
  // Where the system tells no applications, the title is all there is.
  return (applications.length > 0 ? applications : [title]).some((name) => TERMINALS.test(name));
}
