/**
 * How a text is spelt by whatever may write it down again: a model in JSON, Python or XML, an address, a page, an error message. Each
 * also as JSON writes it, and twice: the arguments of a recorded call are JSON inside JSON.
 */
export function spellingsOf(value: string): Set<string> {
  const plain = new Set([value, value.normalize("NFC"), value.normalize("NFD")]);
  const spelt = [...plain].flatMap((text) => [text, ...asJson(text), ...asPython(text), ...asMarkup(text), ...asAddress(text)]);
  return new Set(spelt.flatMap((text) => [text, json(text), json(json(text))]));
}

function json(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** As it may also be: with slashes escaped, and with everything escaped that is not ASCII, which is how Python writes it. */
function asJson(text: string): string[] {
  const ascii = (escaped: string) => toAscii(escaped, (unit) => `\\u${hex(unit, 4)}`);
  const spelt = [json(text), ascii(json(text)), ascii(json(text)).replace(/\\u[0-9a-f]{4}/g, (escape) => `\\u${escape.slice(2).toUpperCase()}`)];
  return [...spelt, ...spelt.map((one) => one.replaceAll("/", "\\/"))];
}

/** Between either quotation marks. */
function asPython(text: string): string[] {
  const escaped = text.replaceAll("\\", "\\\\");
  const spelt = [escaped, escaped.replaceAll("'", "\\'"), escaped.replaceAll('"', '\\"'), escaped.replace(/['"]/g, "\\$&")];
  // `ascii()` writes short escapes for what is below 256.
  return spelt.flatMap((one) => [one, [...one].map((char) => pythonEscape(char)).join("")]);
}

function pythonEscape(char: string): string {
  const code = char.codePointAt(0)!;
  if (code < 0x80) return char;
  if (code < 0x100) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

/** HTML and XML, with the apostrophe as each library has it, and with numbers for what is not ASCII. */
function asMarkup(text: string): string[] {
  const basic = text.replace(/[&<>]/g, (char) => ({ "&": "&amp;", "<": "&lt;" })[char] ?? "&gt;");
  const quoted = basic.replaceAll('"', "&quot;");
  const spelt = [text, basic, quoted, quoted.replaceAll("'", "&#39;"), quoted.replaceAll("'", "&#x27;"), quoted.replaceAll("'", "&apos;"), basic.replaceAll('"', "&#34;").replaceAll("'", "&#39;")];
  return [...spelt, ...spelt.map((one) => [...one].map((char) => (char.codePointAt(0)! < 0x80 ? char : `&#${char.codePointAt(0)};`)).join(""))];
}

/** Percent signs with letters of either case, a space as + in forms, and the few characters that libraries differ about. */
function asAddress(text: string): string[] {
  const wellFormed = text.replace(/\p{Surrogate}/gu, "\ufffd");
  const whole = encodeURIComponent(wellFormed);
  const strict = whole.replace(/[!'()*]/g, (char) => `%${hex(char.charCodeAt(0), 2).toUpperCase()}`);
  const spelt = [whole, strict, strict.replaceAll("%2F", "/"), strict.replaceAll("~", "%7E"), encodeURI(wellFormed)];
  const all = [...spelt, ...spelt.map((one) => one.replaceAll("%20", "+")), new URLSearchParams({ v: text }).toString().slice(2)];
  return [...all, ...all.map((one) => one.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()))];
}

function toAscii(text: string, escape: (unit: number) => string): string {
  return text.replace(/[\u007f-\uffff]/g, (unit) => escape(unit.charCodeAt(0)));
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
