import { execFileSync } from "node:child_process";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Secrets } from "../../src/agent/safety/secrets.js";
import { html } from "../../src/agent/recorder/html.js";

const VALUES = ['pa"ss\\<w$1>&ö 7', "it's/a ~!*()+%20", "日本語 パス😀", "plain0ld", "Ångström{}#?=", "tab\\u00e9&amp;"];

/** How Python's own libraries write each of these. */
const PYTHON = `
import ast, html, json, sys, urllib.parse, xml.sax.saxutils as sax
def spellings(v):
    yield from (json.dumps(v), json.dumps(v, ensure_ascii=False), json.dumps(json.dumps({"text": v})), json.dumps({"a": json.dumps(v, ensure_ascii=False)}, ensure_ascii=False))
    yield from (repr(v), ascii(v), repr([v]), str({"content": v}))
    yield from (html.escape(v), html.escape(v, quote=False), sax.escape(v), sax.quoteattr(v), v.encode("ascii", "xmlcharrefreplace").decode(), html.escape(v).encode("ascii", "xmlcharrefreplace").decode())
    yield from (urllib.parse.quote(v), urllib.parse.quote(v, safe=""), urllib.parse.quote_plus(v), urllib.parse.urlencode({"q": v}))
print(json.dumps([[s for s in spellings(v)] for v in json.load(sys.stdin)]))
`;

function inJavaScript(value: string): string[] {
  const url = new URL("http://x/");
  url.searchParams.set("q", value);
  return [value, JSON.stringify(value), JSON.stringify(JSON.stringify({ text: value })), encodeURIComponent(value), url.href, new URLSearchParams({ value }).toString(), html`<a title="${value}">`.toString(), inspect(value).startsWith("`") ? value : value.normalize("NFD")];
}

describe("a secret's value", () => {
  const inPython = JSON.parse(execFileSync("python3", ["-c", PYTHON], { input: JSON.stringify(VALUES), encoding: "utf8" })) as string[][];

  it.each(VALUES.map((value, index) => [value, [...inPython[index]!, ...inJavaScript(value)]] as const))("%j is kept out however it is spelt", async (value, spellings) => {
    const secrets = await Secrets.load("{{secret:PIN}}", async () => value, new AbortController().signal);
    for (const spelling of spellings) {
      const redacted = secrets.redact(`before ${spelling} after`);
      expect(redacted, spelling).toContain("{{secret:PIN}}");
      // What is left is the quotation around it.
      expect(redacted.replace(/^before | after$/g, "").replace("{{secret:PIN}}", ""), spelling).toMatch(/^[\\"'{}[\]:\s]*(text|content|a|q|value|<a title=|http:\/\/x\/\?q)?[\\"'=:\s]*[\\"'{}[\]>\s]*$/);
    }
  });

  it("is not left in part where a reply was cut off", async () => {
    const secrets = await Secrets.load("{{secret:PIN}}", async () => "hunter22", new AbortController().signal);
    const call = (text: string) => [{ id: "1", name: "x", arguments: `{"text": "${text}` }];
    for (const finishReason of ["length", undefined]) {
      expect(secrets.redactReply({ text: "I see hunter", toolCalls: call("hunt"), finishReason })).toEqual({ text: "I see {{secret:PIN}}", toolCalls: call("{{secret:PIN}}"), finishReason });
      expect(secrets.redactReply({ text: "the hun", toolCalls: call("hunter22"), finishReason })).toEqual({ text: "the hun", toolCalls: call("{{secret:PIN}}"), finishReason });
    }
    // A whole one may well end in a word with which a secret begins.
    expect(secrets.redactReply({ text: "ask the hunter", finishReason: "stop" })).toEqual({ text: "ask the hunter", finishReason: "stop" });
  });
});
