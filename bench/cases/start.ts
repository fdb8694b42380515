// From starting the process to the first token about a picture, as a user of the command sees it.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { emit, median } from "../report.js";

const BIN = fileURLToPath(new URL("../../bin/deskhand.js", import.meta.url));
const SCREEN = fileURLToPath(new URL("../../test/golden/fixtures/embedded/screens/zenity-empty.png", import.meta.url));

function seconds(): number {
  const start = performance.now();
  execFileSync(process.execPath, [BIN, "generate", "--prompt", "Is OK checked?", "--image", SCREEN, "--max-tokens", "1"], { stdio: ["ignore", "ignore", "inherit"] });
  return (performance.now() - start) / 1000;
}

seconds();
emit([{ name: "start to first token, 640×480 picture", value: median(Array.from({ length: 5 }, seconds)), unit: "s" }]);
