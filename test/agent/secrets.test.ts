import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import sharp from "sharp";
import { Agent, type AgentOptions } from "../../src/agent/agent.js";
import type { MemoryComputer } from "../../src/agent/computer/memory.js";
import type { RunEvent } from "../../src/agent/run-events.js";
import { HiddenParts } from "../../src/agent/safety/hidden-parts.js";
import { readSecret } from "../../src/agent/safety/secret-sources.js";
import { splitSecrets } from "../../src/agent/safety/secret-text.js";
import { Secrets } from "../../src/agent/safety/secrets.js";
import { person } from "./support/people.js";
import { callText, tinyReply, toolReply } from "./support/replies.js";
import { withAgent } from "./support/run-agent.js";

const QWEN = { model: "qwen", dialect: "qwen3" };
const DONE = toolReply({ action: "terminate", status: "success" });
/** With everything that JSON, HTML, addresses and patterns write in another way. */
const VALUE = 'pa"ss\\<w$1>&ö 7';
const TASK = "log in as ada with {{secret:MAIL}}";
const { signal } = new AbortController();

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Every file of a run, as text. */
async function filesOf(dir: string): Promise<string> {
  const names = await readdir(dir);
  return (await Promise.all(names.map((name) => readFile(join(dir, name), "latin1")))).join("\n");
}

/** Every way in which the value may be spelt somewhere. */
const SPELLINGS = [VALUE, JSON.stringify(VALUE).slice(1, -1), encodeURIComponent(VALUE), "pa&quot;ss", "pa&#34;ss", 'pa"ss', 'pa\\"ss', Buffer.from(VALUE).toString("latin1"), Buffer.from(VALUE).toString("base64")];

describe("a secret", () => {
  it("is typed, and found in no request, no file, no message and no result, even when the screen showed it to the model", async () => {
    vi.stubEnv("DESKHAND_SECRET_MAIL", VALUE);
    const approver = person("approve");
    const seen: RunEvent[] = [];
    const replies = [
      toolReply({ action: "type", text: "{{secret:MAIL}}\n" }),
      // The model reads it from the screen and repeats it, in words, in a call and in an unusable call.
      toolReply({ action: "left_click", coordinate: [10, 10] }, `Action: I see ${VALUE} and click OK`),
      toolReply({ action: "wibble", text: VALUE }),
      toolReply({ action: "type", text: VALUE }),
      toolReply({ action: "answer", text: `It is ${VALUE}.` }),
    ];
    await withAgent(replies, async ({ computer, server, dir }) => {
      const agent = new Agent({ ...QWEN, baseURL: server.url, computer, outDir: dir, approver, onEvent: (event) => seen.push(event) });
      const result = await agent.run(TASK);
      expect(computer.events.filter(({ type }) => type === "type")).toEqual([{ type: "type", text: VALUE }, { type: "type", text: "\n" }, { type: "type", text: VALUE }]);
      expect(result).toMatchObject({ success: true, answer: "It is {{secret:MAIL}}." });
      // It came in pieces of a few characters.
      const words = seen.flatMap((event) => (event.type === "words" ? event.text : [])).join("");
      expect(words).toBe("Action: I see {{secret:MAIL}} and click OK");
      const outside = [JSON.stringify(server.requests), await filesOf(dir), JSON.stringify(result), JSON.stringify(seen)].join("\n");
      for (const spelling of SPELLINGS) expect(outside.includes(spelling), spelling).toBe(false);
      expect(outside.match(/\{\{secret:MAIL\}\}/g)!.length).toBeGreaterThan(10);
      expect(approver.requests[0]).toMatchObject({ description: 'type "{{secret:MAIL}}\\n"', risks: [{ kind: "secret" }] });
      // Nor is a person shown what the model read from the screen.
      expect(approver.requests.at(-1)).toMatchObject({ description: 'type "{{secret:MAIL}}"', action: { type: "type", text: "{{secret:MAIL}}" } });
    }, { agent: QWEN });
  });

  it("is quoted nowhere, not even in part, where a model that read it breaks off or writes no valid call", async () => {
    const value = "hunter-42-correct-horse";
    const stop = new AbortController();
    const call = (json: string) => ({ toolCalls: [{ name: "computer_use", arguments: json }] });
    const replies = [
      // With quotation marks that should have been escaped, which is no JSON: quoted by every parser.
      call(`{"action": "answer", "text": "it says "${value}" there"}`),
      call(`{"action": "type", "text": "${value}", "x": "\\u00zz"}`),
      { text: `${"I see ".repeat(32)}${value}`, finishReason: "length" },
      call(`{"action": "type", "text": "${value.slice(0, 12)}`),
      { text: `The password is ${value.slice(0, 17)}`, hang: true },
    ];
    const onEvent: AgentOptions["onEvent"] = (event) => void (event.type === "words" && event.text.startsWith("The pas") && setTimeout(() => stop.abort(), 200));
    for (const script of [replies.slice(0, 2), [replies[2]!, { ...replies[3]!, finishReason: "length" }], [replies[4]!]]) {
      await withAgent(script, async ({ agent, dir }) => {
        const result = await agent.run(TASK, { signal: stop.signal });
        const outside = (await filesOf(dir)) + JSON.stringify(result);
        for (let at = 0; at + 5 <= value.length; at++) expect(outside.includes(value.slice(at, at + 5)), value.slice(at, at + 5)).toBe(false);
      }, { agent: { ...QWEN, confirm: "never", secretSource: async () => value, onEvent } });
    }
  });

  it("of digits does not change where a model points", async () => {
    const click = toolReply({ action: "left_click", coordinate: [1234, 56] });
    await withAgent([click, DONE], async ({ agent, computer }) => {
      expect((await agent.run(TASK)).success).toBe(true);
      expect(computer.events[0]).toEqual({ type: "move", to: { x: 1234, y: 56 } });
    }, { agent: { model: "Qwen2.5-VL-7B", confirm: "never", secretSource: async () => "1234" }, computer: { widthPx: 1288, heightPx: 812 } });
  });

  it("that the model has read is typed under the rules for secrets", async () => {
    const approver = person("refuse");
    await withAgent([toolReply({ action: "type", text: "hunter22" }), DONE], async ({ agent, computer }) => {
      await agent.run(TASK);
      expect(approver.requests[0]).toMatchObject({ description: 'type "{{secret:MAIL}}"', risks: [{ kind: "secret" }] });
      expect(computer.events.filter(({ type }) => type === "type")).toEqual([]);
    }, { agent: { ...QWEN, approver, secretSource: async () => "hunter22" } });
  });

  it("leaves no trace when typing it fails", async () => {
    const onEvent = ({ type }: { type: string }) => {
      if (type === "type") throw new Error(`cannot type ${VALUE.slice(0, 6)}`);
    };
    await withAgent([toolReply({ action: "type", text: "{{secret:MAIL}}" })], async ({ agent, dir }) => {
      const result = await agent.run(TASK);
      expect(result).toMatchObject({ stop: "error", reason: expect.stringContaining("could not type a secret") as string });
      expect((await filesOf(dir)) + JSON.stringify(result)).not.toContain(VALUE.slice(0, 6));
    }, { agent: { ...QWEN, confirm: "never", secretSource: async () => VALUE }, computer: { onEvent } });
  });

  it("is covered in the recorded pictures where it was typed, before Return takes it away, and nowhere else", async () => {
    // What is typed appears as a grey bar; Return paints another one elsewhere.
    const bar = (frame: { data: Uint8Array; widthPx: number }, top: number, grey: number) => {
      for (let y = top; y < top + 10; y++) frame.data.fill(grey, (y * frame.widthPx + 100) * 4, (y * frame.widthPx + 200) * 4);
    };
    const paint = (frame: { data: Uint8Array; widthPx: number }, { events }: MemoryComputer) => {
      const typed = events.flatMap((event) => (event.type === "type" ? event.text : []));
      if (typed.includes(VALUE)) bar(frame, 100, 100);
      if (typed.includes("\n")) bar(frame, 300, 200);
    };
    await withAgent([toolReply({ action: "type", text: "{{secret:MAIL}}\n" }), toolReply({ action: "left_click", coordinate: [10, 10] }), DONE], async ({ agent, dir, server }) => {
      await agent.run(TASK);
      const greyAt = async (file: string, y: number) => (await sharp(join(dir, file)).extract({ left: 150, top: y, width: 1, height: 1 }).raw().toBuffer())[0];
      expect([await greyAt("step-001.png", 105), await greyAt("step-002.png", 105), await greyAt("step-003.png", 105)]).toEqual([255, 0, 0]);
      expect([await greyAt("step-002.png", 305), await greyAt("step-002.png", 90), await greyAt("step-002.png", 120)]).toEqual([200, 255, 255]);
      // The model needs to see what it does.
      const sent = server.requests[1]!.messages.at(-1)!.content as { image_url?: { url: string } }[];
      const png = Buffer.from(sent.find(({ image_url }) => image_url)!.image_url!.url.split(",")[1]!, "base64");
      expect((await sharp(png).extract({ left: 150, top: 105, width: 1, height: 1 }).raw().toBuffer())[0]).toBe(100);
    }, { agent: { ...QWEN, confirm: "never", secretSource: async () => VALUE }, computer: { paint } });
  });

  it("is covered in pictures of a part of the screen too", async () => {
    const hidden = new HiddenParts("place");
    const blank = { data: new Uint8Array(1000 * 1000 * 4), widthPx: 1000, heightPx: 1000 };
    const typed = { ...blank, data: blank.data.slice() };
    // From 500 to 600 with the margin around what changed.
    for (let y = 504; y < 596; y++) typed.data.fill(255, (y * 1000 + 504) * 4, (y * 1000 + 596) * 4);
    hidden.learn(blank, typed);
    const white = await sharp({ create: { width: 100, height: 100, channels: 3, background: "white" } }).png().toBuffer();
    // The lower right quarter: what is hidden is the first fifth of each side there.
    const pixels = await sharp(await hidden.cover(white, { left: 0.5, top: 0.5, right: 1, bottom: 1 })).greyscale().raw().toBuffer();
    expect([0, 19, 20, 99].map((x) => pixels[19 * 100 + x])).toEqual([0, 0, 255, 255]);
    expect(pixels[20 * 100]).toBe(255);
    // The upper left quarter has nothing of it.
    expect(await hidden.cover(white, { left: 0, top: 0, right: 0.5, bottom: 0.5 })).toEqual(white);
  });

  it("that the task does not name is not to be had, and the model is told so", async () => {
    vi.stubEnv("DESKHAND_SECRET_OTHER", "another secret");
    await withAgent([toolReply({ action: "type", text: "{{secret:OTHER}}" }), toolReply({ action: "type", text: "{{ Secret:MAIL }}" })], async ({ agent, computer, server }) => {
      const result = await agent.run(TASK);
      expect(result).toMatchObject({ stop: "error", reason: expect.stringMatching(/\{\{secret:NAME\}\}/) as string });
      expect(JSON.stringify(server.requests[1]!.messages)).toContain("Expected only secrets that the task names ({{secret:MAIL}})");
      expect(computer.events).toEqual([{ type: "releaseAll" }]);
    }, { agent: { ...QWEN, confirm: "never", secretSource: async () => VALUE } });
  });

  it("works with a model that knows one prompt only", async () => {
    await withAgent([tinyReply("type {{secret:MAIL}}", { action: "type", text: "{{secret:MAIL}}" }), { text: `Action: done\n${callText({ action: "terminate", status: "success" })}` }], async ({ agent, computer, server }) => {
      expect((await agent.run(TASK)).success).toBe(true);
      expect(computer.events[0]).toEqual({ type: "type", text: VALUE });
      expect(JSON.stringify(server.requests)).not.toContain("w$1");
    }, { agent: { confirm: "never", secretSource: async () => VALUE } });
  });

  it.each([
    ["is too short", "abc", /at least 4 characters/],
    ["is several lines", "abcd\nefgh", /one line/],
    ["cannot be typed", "abcd\u0007", /control characters/],
  ])("that %s is refused before anything begins, without its value", async (_, value, why) => {
    await withAgent([DONE], async ({ agent, computer, server }) => {
      const error = (await agent.run(TASK).catch((error: unknown) => error)) as Error;
      expect(error).toMatchObject({ code: "invalid_argument", message: expect.stringMatching(why) as string });
      expect(error.message).not.toContain(value);
      expect([server.requests.length, computer.captures]).toEqual([0, 0]);
    }, { agent: { ...QWEN, secretSource: async () => value } });
  });

  it("is kept out of values of any shape, and pictures stay as they are", async () => {
    const secrets = await Secrets.load("{{secret:A}} {{secret:B}}", async (name) => (name === "A" ? "abcd" : "abcdef"), signal);
    const picture = "data:image/png;base64,abcdef";
    expect(secrets.redact({ text: "xabcdefx abcd", list: ["abcd", 5, null, picture], deep: { arguments: '{"text": "abcd"}' } })).toEqual({ text: "x{{secret:B}}x {{secret:A}}", list: ["{{secret:A}}", 5, null, picture], deep: { arguments: '{"text": "{{secret:A}}"}' } });
  });

  it("is told from other text", () => {
    expect(splitSecrets("a{{secret:A}}{{secret:B_2}}b")).toEqual([{ plain: "a" }, { secret: "A" }, { secret: "B_2" }, { plain: "b" }]);
    expect(splitSecrets("{{name}} {secret:A}")).toEqual([{ plain: "{{name}} {secret:A}" }]);
    for (const wrong of ["{{secret:}}", "{{secret: A}}", "{{secret:A-B}}", "{{secret:A}", "{{SECRET:A}}"]) expect(() => splitSecrets(wrong)).toThrow(/Expected a secret as/);
  });
});

describe("where secrets come from", () => {
  /** Runs with a `secret-tool` of ours before all other programs. */
  async function withKeychain<T>(script: string, use: () => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), "deskhand-test-"));
    try {
      const tool = join(folder, process.platform === "darwin" ? "security" : "secret-tool");
      await writeFile(tool, `#!/bin/sh\n${script}\n`);
      await chmod(tool, 0o755);
      vi.stubEnv("PATH", `${folder}${delimiter}${process.env["PATH"]}`);
      return await use();
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  it("is the environment first, then the keychain by name", async () => {
    await withKeychain('echo "from keychain: $*"', async () => {
      expect(await readSecret("MAIL", signal)).toMatch(process.platform === "darwin" ? /^from keychain: find-generic-password -s deskhand -a MAIL -w$/ : /^from keychain: lookup service deskhand name MAIL$/);
      vi.stubEnv("DESKHAND_SECRET_MAIL", "from environment");
      expect(await readSecret("MAIL", signal)).toBe("from environment");
    });
  });

  it.each([
    ["has none", "exit 1", /neither has it/],
    ["complains", "echo 'the keyring is locked' >&2; exit 1", /the keyring is locked/],
  ])("says how to provide it when the keychain %s", async (_, script, why) => {
    await withKeychain(script, async () => {
      await expect(readSecret("MAIL", signal)).rejects.toMatchObject({ code: "invalid_argument", message: expect.stringMatching(why) as string });
      await expect(readSecret("MAIL", signal)).rejects.toThrow(/DESKHAND_SECRET_MAIL.*deskhand/);
    });
  });

  it("says so when there is no keychain", async () => {
    vi.stubEnv("PATH", "/nowhere");
    await expect(readSecret("MAIL", signal)).rejects.toThrow(/is not installed/);
  });
});
