import { describe, expect, it } from "vitest";
import { StopStrings } from "../../src/engine/generate/stop-strings.js";

function run(stops: string[], deltas: string[]): { text: string; stopped: boolean } {
  const matcher = new StopStrings(stops);
  let text = "";
  let stopped = false;
  for (const delta of deltas) {
    const result = matcher.feed(delta);
    text += result.text;
    stopped = result.stopped;
  }
  return { text: text + matcher.flush(), stopped };
}

/** The definition, said plainly: grow the text a character at a time until it ends with a stop string. */
function byDefinition(stops: string[], whole: string): { text: string; stopped: boolean } {
  for (let end = 1; end <= whole.length; end++) {
    const ending = stops.filter((stop) => stop !== "" && whole.slice(0, end).endsWith(stop)).sort((a, b) => b.length - a.length)[0];
    if (ending !== undefined) return { text: whole.slice(0, end - ending.length), stopped: true };
  }
  return { text: whole, stopped: false };
}

const CASES: [stops: string[], whole: string][] = [
  [[], "nothing to stop at"],
  [[""], "an empty stop string stops nothing"],
  [["END"], "one END two"],
  [["END"], "ENENEND"],
  [["END"], "EN"],
  [["aab"], "aaaab"],
  [["abab"], "xabaabab"],
  [["abcd", "bc"], "xabcd"],
  [["bc", "abc"], "xabc"],
  [["\n\n", "User:"], "Hello\nUser\n\nUser:"],
  [["\n"], "\nat the beginning"],
  [["日本"], "東京 日 日本 終"],
  [["😀"], "smile 😀 more"],
  [["</s>", "</stop>"], "a </st </sto </stop> b"],
];

describe("stop strings", () => {
  it.each(CASES)("%j in %j, however it is cut", (stops, whole) => {
    const expected = byDefinition(stops, whole);
    expect(run(stops, [whole])).toEqual(expected);
    for (let cut = 0; cut <= whole.length; cut++) expect(run(stops, [whole.slice(0, cut), whole.slice(cut)])).toEqual(expected);
    for (const size of [1, 2, 3]) expect(run(stops, whole.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [])).toEqual(expected);
  });

  it("agrees with the definition on random texts over a small alphabet", () => {
    let seed = 99;
    const random = (below: number): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % below;
    const word = (length: number): string => Array.from({ length }, () => "ab "[random(3)]).join("");
    for (let round = 0; round < 3000; round++) {
      const stops = Array.from({ length: 1 + random(3) }, () => word(1 + random(4)));
      const whole = word(random(14));
      const expected = byDefinition(stops, whole);
      expect(run(stops, [whole]), JSON.stringify([stops, whole])).toEqual(expected);
      expect(run(stops, [...whole]), JSON.stringify([stops, whole])).toEqual(expected);
    }
  });

  it("holds back only what could begin a stop string", () => {
    const matcher = new StopStrings(["<|user|>"]);
    expect(matcher.feed("Hello <")).toEqual({ text: "Hello ", stopped: false });
    expect(matcher.feed("|us")).toEqual({ text: "", stopped: false });
    expect(matcher.feed("ual text")).toEqual({ text: "<|usual text", stopped: false });
    expect(matcher.feed("<|user|>ignored")).toEqual({ text: "", stopped: true });
    expect(matcher.feed("more")).toEqual({ text: "", stopped: true });
    expect(matcher.flush()).toBe("");
  });
});
