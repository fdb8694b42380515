const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/** `strftime` in the C locale: English names whatever the system speaks. `%-d` is `%d` without zeros in front; unknown directives stay. */
export function strftime(date: Date, format: string): string {
  return format.replaceAll(/%(-?)([A-Za-z%])/g, (whole, dash: string, directive: string) => {
    const field = fields(date)[directive];
    if (field === undefined) return whole;
    return dash === "" ? field : field.replace(/^[0 ]+(?=.)/, "");
  });
}

function fields(date: Date): Readonly<Record<string, string>> {
  const padded = (value: number, length = 2): string => String(value).padStart(length, "0");
  const dayOfYear = Math.round((Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - Date.UTC(date.getFullYear(), 0, 1)) / 86_400_000) + 1;
  const hour = date.getHours() % 12 || 12;
  return {
    Y: String(date.getFullYear()),
    y: padded(date.getFullYear() % 100),
    m: padded(date.getMonth() + 1),
    B: MONTHS[date.getMonth()]!,
    b: MONTHS[date.getMonth()]!.slice(0, 3),
    d: padded(date.getDate()),
    e: String(date.getDate()).padStart(2, " "),
    j: padded(dayOfYear, 3),
    A: DAYS[date.getDay()]!,
    a: DAYS[date.getDay()]!.slice(0, 3),
    H: padded(date.getHours()),
    I: padded(hour),
    p: date.getHours() < 12 ? "AM" : "PM",
    M: padded(date.getMinutes()),
    S: padded(date.getSeconds()),
    "%": "%",
  };
}
