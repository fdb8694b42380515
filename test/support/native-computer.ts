// Run by computer-native.test.ts in a process of its own, because nut-js' native module ends its process when an X server goes.
import { openNativeComputer } from "../../src/agent/computer/native-computer.js";

const computer = await openNativeComputer();
const display = await computer.display();
const { widthPx, heightPx, data } = await computer.capture();
await computer.move({ x: 100, y: 120 });
const cursor = await computer.cursor();
await computer.chord(["shift", "a"]);
await computer.chord(["b"]);
await computer.type(" 日本 é😀\n");
const refused = await computer.chord(["pause"]).catch((error: unknown) => String(error));
await computer.close();
process.stdout.write(JSON.stringify({ display, widthPx, heightPx, opaque: data.every((value, i) => i % 4 !== 3 || value === 255), cursor, refused }));
process.exit(0);
