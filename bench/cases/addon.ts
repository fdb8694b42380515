// What a call from JavaScript into the addon costs: building graph nodes without running them.
import { add, randomKey, randomNormal, scope } from "../../src/engine/mlx/index.js";
import { emit, median } from "../report.js";

const OPS = 1000;
const x = randomNormal([1, 64], randomKey(0));

function microseconds(): number {
  const start = performance.now();
  scope(() => {
    for (let i = 0; i < OPS; i++) add(x, x);
  });
  return ((performance.now() - start) / OPS) * 1000;
}

for (let i = 0; i < 20; i++) microseconds();
emit([{ name: "addon: a call, tensor made and freed", value: median(Array.from({ length: 101 }, microseconds)), unit: "µs" }]);
x.dispose();
