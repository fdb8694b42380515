/** A command whose clean-up never ends. Says what it hears. */
import { abortOnSignals } from "../../../src/tools/interrupt.js";

const { signal } = abortOnSignals();
signal.addEventListener("abort", () => process.stdout.write("aborted\n"));
setInterval(() => undefined, 1000);
process.stdout.write("ready\n");
