import { ensureMlx, findMlx, mlxReady } from "./setup/mlx.js";
import { buildNative } from "./setup/native.js";
const mlx = await findMlx();
if (!(await mlxReady(mlx))) await ensureMlx(mlx, console.log);
console.log(await buildNative(mlx, console.log));
