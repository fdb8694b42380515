/** Two digits up to 23, and up to 59. */
const HOUR = String.raw`(?:[01]\d|2[0-3])`;
const SIXTY = String.raw`[0-5]\d`;
/** As RFC 3339 writes it. Leap seconds are left out: which there were, nobody can tell by the form. */
const TIME = String.raw`${HOUR}:${SIXTY}:${SIXTY}(?:\.\d{1,9})?(?:Z|[+-]${HOUR}:${SIXTY})`;
/** Two digits that are divisible by 4, and those of them that make a leap year as the last of a century's number. */
const FOURTH = "(?:[02468][048]|[13579][26])";
const FOURTH_NOT_ZERO = "(?:0[48]|[2468][048]|[13579][26])";
const DATE = String.raw`(?:\d{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)|(?:\d\d${FOURTH_NOT_ZERO}|${FOURTH}00)-02-29)`;
/** What may follow the first character of a part of a name: no more than 62, none at the end "-", and not "--" as third and fourth, which is Punycode's. */
const LABEL_TAIL = "(?:[A-Za-z0-9]|[A-Za-z0-9-](?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]{0,59}[A-Za-z0-9]|-[A-Za-z0-9](?:[A-Za-z0-9-]{0,58}[A-Za-z0-9])?))?";
const LABEL = `[A-Za-z0-9]${LABEL_TAIL}`;
/** The last part of a name in a URI: with a letter first, or it would be read as a number. */
const TOP_LABEL = `[A-Za-z]${LABEL_TAIL}`;
const BYTE = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`;
const IPV4 = String.raw`${BYTE}(?:\.${BYTE}){3}`;
const MAILBOX = "[A-Za-z0-9_+-](?:[A-Za-z0-9_'+-]{0,62}[A-Za-z0-9_+-])?";
const EMAIL = String.raw`${MAILBOX}(?:\.${MAILBOX}){0,3}@(?:${LABEL}\.){1,4}[A-Za-z]{2,24}`;
const GROUP = "[0-9a-fA-F]{1,4}";
/** So many groups, a gap, and at most as many as leave one out. */
const shortened = (groups: number): string => `${groups === 0 ? "" : `${GROUP}(?::${GROUP}){${groups - 1}}`}::${groups === 7 ? "" : `(?:${GROUP}(?::${GROUP}){0,${6 - groups}})?`}`;
const IPV6 = [`${GROUP}(?::${GROUP}){7}`, ...Array.from({ length: 8 }, (_, groups) => shortened(groups))].join("|");
const IN_URI = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})";
const PATH = `(?:/${IN_URI}{0,200}){0,8}`;
const URI = [
  String.raw`(?:https?|ftp|wss?)://(?:(?:${LABEL}\.){0,5}${TOP_LABEL}|${IPV4})(?::[1-9]\d{1,3})?${PATH}(?:\?(?:${IN_URI}|[/?]){0,200})?(?:#(?:${IN_URI}|[/?]){0,200})?`,
  `mailto:${EMAIL}`,
  `file://${PATH}`,
].join("|");
/** Each unit may be followed by the next smaller one. */
const units = (names: string): string => [...names].map((_, i) => [...names.slice(i)].reduceRight((rest, name) => String.raw`\d{1,6}${name}${rest === "" ? "" : `(?:${rest})?`}`, "")).join("|");
const IN_DAY = `T(?:${units("HMS")})`;

/** By name, texts that everyone takes for such, as patterns; not every one that its specification allows. */
export const FORMATS: ReadonlyMap<string, string> = new Map([
  ["date", DATE],
  ["time", TIME],
  ["date-time", `${DATE}T${TIME}`],
  ["duration", String.raw`P(?:\d{1,6}W|(?:${units("YMD")})(?:${IN_DAY})?|${IN_DAY})`],
  ["uuid", "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"],
  ["email", EMAIL],
  ["hostname", String.raw`(?:${LABEL}\.){0,2}${LABEL}`],
  ["ipv4", IPV4],
  ["ipv6", IPV6],
  ["uri", URI],
]);

/** Formats that say what a text is for, and not how it is written. */
export const UNWRITTEN_FORMATS: ReadonlySet<string> = new Set(["binary", "password", "path", "file-path", "directory-path"]);
