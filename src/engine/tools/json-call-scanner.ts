/** Receives a call as it becomes known. */
export interface CallSink {
  open(name: string): void;
  /** Joined, the JSON text of the arguments. */
  arguments(delta: string): void;
}

type State = "start" | "key" | "keyString" | "colon" | "value" | "nameString" | "nested" | "literal" | "afterValue" | "broken";
type Target = "name" | "arguments" | "other";

const EMPTY_ARGUMENTS = "{}";
const isSpace = (c: string): boolean => c === " " || c === "\n" || c === "\r" || c === "\t";

/**
 * Reads one `{"name": …, "arguments": {…}}` character by character, keys in any order, and forwards the arguments while they come.
 *
 * The call opens when its name is known and its arguments begin; up to there a syntax error makes it `malformed` and nothing has been
 * said. After that there is no way back: arguments that turn out not to be JSON are forwarded as the model wrote them, up to the closing
 * tag. Raw line breaks inside strings, which models write often, are escaped.
 */
export class JsonCallScanner {
  status: "open" | "complete" | "malformed" = "open";
  /** The sink knows of this call. */
  opened = false;

  private state: State = "start";
  private key = "";
  private name: string | undefined;
  private argumentsDone = false;
  /** Raw text of the string, literal or unstreamed arguments being read. */
  private buffer = "";
  /** Arguments that came before the name. */
  private early = "";
  private target: Target = "other";
  private streaming = false;
  private depth = 0;
  private inString = false;
  private escaped = false;
  /** A raw control character was seen in the current string: the closing tag now ends the call even there, for the string may lack its quote. */
  private loose = false;
  /** The call ended at a character that is no part of it. */
  private leftover = false;

  constructor(
    private readonly closeTag: string,
    private readonly sink: CallSink,
  ) {}

  /** Consumes from the beginning of `text` and returns how many characters it used: all, or fewer when it needs to see more or has finished. */
  scan(text: string): number {
    let clearUntil = 0;
    let i = 0;
    for (; i < text.length && this.status === "open"; i++) {
      const c = text[i]!;
      if (i >= clearUntil && this.mayClose(c)) {
        const close = this.closeAt(text, i);
        if (close === "unknown") return i;
        if (close === "yes") {
          this.status = this.opened ? "complete" : "malformed";
          return i;
        }
        clearUntil = close;
      }
      this.step(c);
      if (this.leftover) return i;
    }
    return i;
  }

  /** Characters that can begin "white space, closing tag" where the tag would end the call. */
  private mayClose(c: string): boolean {
    if (this.state === "broken") return c === "<" || isSpace(c);
    if (this.state !== "nested") return c === "<" && this.state === "afterValue";
    if (!this.inString) return c === "<";
    return c < " " || (this.loose && (c === "<" || c === " "));
  }

  /** Where white space and the closing tag could begin; a number says up to where they do not. */
  private closeAt(text: string, from: number): "yes" | "unknown" | number {
    let at = from;
    while (at < text.length && isSpace(text[at]!)) at++;
    const rest = text.slice(at, at + this.closeTag.length);
    if (rest === this.closeTag) return "yes";
    return rest.length < this.closeTag.length && this.closeTag.startsWith(rest) ? "unknown" : Math.max(at, from + 1);
  }

  private step(c: string): void {
    switch (this.state) {
      case "nested":
        return this.stepNested(c);
      case "broken":
        return this.sink.arguments(c);
      case "keyString":
      case "nameString":
        return this.stepString(c);
      case "literal":
        if (!/[\s,}<]/.test(c)) return void (this.buffer += c);
        this.endLiteral();
        return this.status === "open" ? this.step(c) : undefined;
      default:
        if (!isSpace(c)) this.stepStructure(c);
    }
  }

  private stepStructure(c: string): void {
    if (this.state === "start" && c === "{") this.state = "key";
    else if (this.state === "key" && c === '"') this.beginString("keyString");
    else if (this.state === "colon" && c === ":") this.state = "value";
    else if (this.state === "value") this.beginValue(c);
    else if (this.state === "afterValue" && c === ",") this.state = "key";
    else if ((this.state === "afterValue" || this.state === "key") && c === "}") this.endObject();
    else this.unexpected();
  }

  private beginString(state: "keyString" | "nameString"): void {
    this.state = state;
    this.buffer = '"';
    this.escaped = false;
  }

  private stepString(c: string): void {
    if (c < " ") return this.unexpected();
    this.buffer += c;
    if (this.escaped || c !== '"') {
      this.escaped = !this.escaped && c === "\\";
      return;
    }
    const text = parseJson(this.buffer);
    if (typeof text !== "string" || text === "") return this.unexpected();
    if (this.state === "keyString") {
      this.key = text;
      this.state = "colon";
      return;
    }
    this.name = text;
    this.state = "afterValue";
    if (this.argumentsDone) this.open(this.early);
  }

  private beginValue(c: string): void {
    this.target = this.targetOf(this.key);
    if (this.target === "name") return c === '"' ? this.beginString("nameString") : this.unexpected();
    this.buffer = "";
    this.inString = c === '"';
    this.depth = c === "{" || c === "[" ? 1 : 0;
    this.escaped = false;
    this.loose = false;
    this.streaming = false;
    if (!this.inString && this.depth === 0) {
      this.state = "literal";
      return this.step(c);
    }
    this.state = "nested";
    if (this.target === "arguments" && !this.inString && this.name !== undefined) {
      this.streaming = true;
      this.open(c);
    } else this.take(c);
  }

  private targetOf(key: string): Target {
    if (key === "name" && this.name === undefined) return "name";
    return key === "arguments" && !this.argumentsDone ? "arguments" : "other";
  }

  private take(text: string): void {
    if (this.streaming) this.sink.arguments(text);
    else if (this.target === "arguments") this.buffer += text;
  }

  private stepNested(c: string): void {
    if (this.inString) {
      if (c < " ") {
        this.loose = true;
        this.escaped = false;
        return this.take(JSON.stringify(c).slice(1, -1));
      }
      this.take(c);
      if (this.escaped) this.escaped = false;
      else if (c === "\\") this.escaped = true;
      else if (c === '"') this.inString = this.loose = false;
      else return;
      if (this.inString || this.depth > 0) return;
      return this.endNested();
    }
    if (c === "<") return this.unexpected(c);
    this.take(c);
    if (c === '"') this.inString = true;
    else if (c === "{" || c === "[") this.depth++;
    else if ((c === "}" || c === "]") && --this.depth === 0) this.endNested();
  }

  private endNested(): void {
    this.state = "afterValue";
    if (this.target !== "arguments") return;
    if (this.streaming) this.argumentsDone = true;
    else this.endBuffered(unwrapString(this.buffer));
  }

  private endLiteral(): void {
    this.state = "afterValue";
    if (this.target !== "arguments") return;
    if (this.buffer === "null") this.endBuffered(EMPTY_ARGUMENTS);
    else this.unexpected();
  }

  private endBuffered(text: string): void {
    this.argumentsDone = true;
    if (this.name === undefined) this.early = text;
    else this.open(text);
  }

  private endObject(): void {
    if (this.name === undefined) return this.unexpected();
    if (!this.opened) this.open(EMPTY_ARGUMENTS);
    this.status = "complete";
  }

  private open(firstArguments: string): void {
    this.opened = true;
    this.sink.open(this.name!);
    this.sink.arguments(firstArguments);
  }

  /** Not JSON. Forgiven where all of the call is known, forwarded inside open arguments, else the whole is no call. */
  private unexpected(c = ""): void {
    if (!this.opened) this.status = "malformed";
    else if (this.state === "nested" && this.streaming) {
      this.state = "broken";
      this.sink.arguments(c);
    } else {
      this.status = "complete";
      this.leftover = true;
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Some models write the arguments as a string that holds JSON: that JSON is meant. */
function unwrapString(json: string): string {
  const inner = parseJson(json);
  return typeof inner === "string" && parseJson(inner) instanceof Object ? inner : json;
}
