import { Agent, request } from "undici";
import { expect, it } from "vitest";
import { ScriptedEngine } from "../../src/engine/scripted-engine.js";
import { serve } from "../../src/server/start.js";
import { Random } from "../unit/support/random-schemas.js";
import { badBody, randomBytes, SEEDS } from "./bodies.js";
import { complaint, liveBytes, openSockets, until } from "./checks.js";

/** With those of the other files of this folder 10,000. A complaint names its number: `new Random(number)` makes the same request again. */
const BODIES = 7_500;
const FORMS = 500;
const AT_ONCE = 8;
/** Code is compiled, caches are filled. */
const WARM_UP = 2_000;
/** Less than the smallest thing that a request could leave behind, an error with its stack. */
const LEAK_BYTES_A_REQUEST = 512;

interface Bad {
  path: string;
  contentType: string;
  body: Buffer;
}

function badRequest(number: number): Bad {
  const random = new Random(number);
  const seed = SEEDS[number % SEEDS.length]!;
  const contentType = random.chance(0.03) ? random.pick(["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "application/json, text/html", "é", ""]) : "application/json";
  return { path: seed.path, contentType, body: badBody(random, seed.body) };
}

function badForm(number: number): Bad {
  const random = new Random(number);
  const fields = ["file", "model", "language", "prompt", "response_format", "temperature", "timestamp_granularities[]", "include[]", "stream", "__proto__", "", "x".repeat(200)];
  const values = ["scripted", "", "json", "vtt", "verbose_json", "true", "nan", "-1", "word", "\0", "é".repeat(100), "x".repeat(70_000)];
  const part = (): Buffer => {
    const head = `Content-Disposition: form-data; name="${random.pick(fields)}"${random.chance(0.3) ? `; filename="${random.pick(["a.wav", "../../a", "\0", ""])}"` : ""}`;
    return Buffer.concat([Buffer.from(`--b\r\n${head}\r\n\r\n`), random.chance(0.5) ? Buffer.from(random.pick(values)) : randomBytes(random, 200), Buffer.from("\r\n")]);
  };
  const file = Buffer.from('--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nsound\r\n');
  let body = Buffer.concat([...(random.chance(0.5) ? [file] : []), ...Array.from({ length: random.int(0, random.chance(0.1) ? 60 : 4) }, part), Buffer.from("--b--\r\n")]);
  if (random.chance(0.3)) body = body.subarray(0, random.int(0, body.length));
  if (random.chance(0.3) && body.length > 0) body[random.int(0, body.length - 1)] = random.int(0, 255);
  const contentType = random.chance(0.2) ? random.pick(["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=c", `multipart/form-data; boundary=${"b".repeat(300)}`, "multipart/mixed; boundary=b"]) : "multipart/form-data; boundary=b";
  return { path: random.pick(["/v1/audio/transcriptions", "/v1/audio/translations"]), contentType, body };
}

it(`${BODIES + FORMS} bad bodies and forms: an error in the form of the route each, nothing left behind`, async () => {
  const engine = new ScriptedEngine(() => ({ text: ["o", "k"] }), {
    info: { tasks: ["generate", "embed", "transcribe"], audio: true },
    embed: ({ inputs, dimensions }) => ({ vectors: inputs.map(() => new Float32Array(4).subarray(0, dimensions)), promptTokens: inputs.length }),
    hear: async function* () {
      yield await Promise.resolve({ type: "transcript", transcript: { text: "hi", language: "en", durationS: 1, segments: [] } });
    },
  });
  const sockets = openSockets();
  const server = await serve({ engine, port: 0, limits: { maxStoredResponses: 4 } });
  const agent = new Agent({ connections: AT_ONCE });
  const complaints: string[] = [];
  const statuses = new Map<number, number>();
  const send = async (number: number): Promise<void> => {
    const { path, contentType, body } = number < BODIES ? badRequest(number) : badForm(number);
    const answer = await request(`${server.url}${path}`, { dispatcher: agent, method: "POST", headers: { "content-type": Buffer.from(contentType).toString("latin1") }, body });
    const problem = complaint(path, answer.statusCode, String(answer.headers["content-type"]), await answer.body.text());
    if (problem) complaints.push(`${number}: POST ${path} ${problem}`);
    statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1);
    // It remembers what it was asked, for tests that look.
    engine.requests.length = engine.outcomes.length = 0;
  };
  let next = 0;
  const sendUpTo = (end: number): Promise<unknown> =>
    Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (next < end) await send(next++);
      }),
    );

  await sendUpTo(WARM_UP);
  const before = liveBytes();
  await sendUpTo(BODIES + FORMS);
  expect(complaints).toEqual([]);
  expect(liveBytes() - before).toBeLessThan((BODIES + FORMS - WARM_UP) * LEAK_BYTES_A_REQUEST);
  // Most were bad in one way or another, and not all in the same.
  expect(statuses.get(400)).toBeGreaterThan((BODIES + FORMS) / 2);
  expect([...statuses.keys()]).toEqual(expect.arrayContaining([200, 400, 404, 415]));
  expect({}).not.toHaveProperty("polluted");

  expect(engine.running).toBe(0);
  expect(await (await fetch(`${server.url}/health`)).json()).toMatchObject({ status: "ok", requests: 0 });
  await agent.close();
  await server.close();
  await until(() => openSockets() === sockets);
});
