// Recorded runs, read again: npx tsx examples/replay.ts trajectories/FOLDER [a model to ask at each recorded screen]
import { exportFilm, isSame, readTrajectory, replayParse, replayWithModel } from "deskhand";

const [folder, model] = process.argv.slice(2);
if (folder === undefined) throw new Error("Give the folder of a run, as `deskhand agent` prints it.");

const trajectory = await readTrajectory(folder);
console.log(`${trajectory.run.task}: ${trajectory.steps.length} steps, ${trajectory.result?.reason ?? "no end"}`);

const parsed = await replayParse(trajectory);
console.log(`today's parser: ${isSame(parsed) ? "all the same" : `${parsed.counts.different} steps differ`}`);

if (model !== undefined) {
  const { counts } = await replayWithModel(trajectory, { model, onStep: ({ step, status }) => console.log(`  step ${step}: ${status}`) });
  console.log(`${model}: ${counts.same} the same, ${counts.different} different`);
}

console.log(await exportFilm(trajectory, { out: "run.gif", secondsPerStep: 1 }));
