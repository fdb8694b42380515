"""Parameters of made-up functions: name, JSON schema, a value, and how a request says it."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from screens import words

UNITS = {"temperature unit": ["celsius", "fahrenheit", "kelvin"], "length unit": ["meter", "kilometer", "mile", "foot", "inch"], "weight unit": ["kilogram", "gram", "pound", "ounce"], "currency": ["USD", "EUR", "GBP", "JPY", "CHF", "INR", "BRL"]}
ENUMS = [
    ("priority", ["low", "medium", "high", "urgent"], ["with {} priority", "with priority {}", "and give it {} priority"]), ("status", ["open", "closed", "pending", "archived"], ["with status {}", "that are {}"]),
    ("format", ["pdf", "csv", "json", "xml", "html", "markdown"], ["as {}", "in {} format", "in the {} format"]), ("order", ["ascending", "descending"], ["in {} order", "sorted {}"]),
    ("size", ["small", "medium", "large", "extra_large"], ["in size {}", "size {}"]), ("color", ["red", "green", "blue", "black", "white", "yellow", "purple"], ["in {}", "with color {}"]),
    ("unit", ["celsius", "fahrenheit"], ["in {}", "in degrees {}"]), ("units", ["metric", "imperial"], ["in {} units", "using {} units"]), ("language", ["en", "de", "fr", "es", "it", "pt", "ja"], ["in language {}", "with language {}"]),
    ("mode", ["driving", "walking", "cycling", "transit"], ["by {}", "with mode {}"]), ("currency", UNITS["currency"], ["in {}", "with currency {}"]), ("category", ["food", "travel", "books", "music", "sports", "health", "electronics"], ["in the category {}", "in category {}"]),
    ("frequency", ["hourly", "daily", "weekly", "monthly", "yearly"], ["{}", "repeated {}", "on a {} basis"]), ("level", ["debug", "info", "warning", "error"], ["at level {}", "with level {}"]), ("channel", ["email", "sms", "push", "slack"], ["by {}", "via {}"]),
    ("class", ["economy", "premium", "business", "first"], ["in {} class", "class {}"]), ("genre", ["rock", "jazz", "classical", "pop", "folk", "techno"], ["of the genre {}", "with genre {}"]), ("quality", ["draft", "normal", "best"], ["in {} quality", "with quality {}"]),
    ("difficulty", ["easy", "medium", "hard"], ["with difficulty {}", "at {} difficulty"]), ("room", ["kitchen", "bedroom", "bathroom", "living_room", "office", "garage"], ["in the {}", "for the {}"]), ("day", ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], ["on {}", "for {}"]),
]
STRINGS = [
    (["city", "location", "place", "town", "destination", "city_name"], "Name of the city", lambda rng: rng.choice(words.CITIES), ["in {}", "for {}", "at {}"]), (["country", "nation", "region"], "The country", lambda rng: rng.choice(words.COUNTRIES), ["in {}", "for {}"]),
    (["email", "recipient", "to", "address", "email_address"], "E-mail address", words.email, ["to {}", "for {}", "with the email {}"]), (["name", "person", "contact", "full_name", "user", "customer"], "Full name", words.person, ["for {}", "of {}", "named {}", "with the name {}"]),
    (["date", "day", "start_date", "due_date", "when"], "Date, YYYY-MM-DD", lambda rng: f"{rng.randint(2020, 2031)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}", ["on {}", "for {}", "by {}"]), (["time", "at", "start_time", "hour"], "Time of day, HH:MM", lambda rng: f"{rng.randint(0, 23):02d}:{rng.choice(['00', '15', '30', '45'])}", ["at {}", "from {}"]),
    (["title", "subject", "heading", "summary", "label"], "A short title", lambda rng: words.words(rng, 1, 4), ["titled {q}", "with the title {q}", "called {q}"]), (["message", "text", "body", "content", "note", "comment"], "The text", lambda rng: words.sentence(rng, 2, 8), ["saying {q}", "with the text {q}", "that says {q}"]),
    (["id", "order_id", "ticket_id", "item_id", "reference", "code"], "The identifier", lambda rng: rng.choice([words.random_text(rng, 4, 8), f"{words.random_text(rng, 1, 3).upper()}-{rng.randint(1, 9999)}", str(rng.randint(100, 99999))]), ["with id {}", "number {}", "{}", "with the id {}"]), (["url", "link", "website"], "Address of the page", lambda rng: f"https://{rng.choice(words.SHORT).lower()}.{rng.choice(['com', 'org', 'net'])}/{rng.choice(words.SHORT).lower()}", ["at {}", "from {}", "{}"]),
    (["file", "path", "filename", "file_name", "document"], "Path of the file", words.filename, ["{}", "from {}", "called {}", "in the file {}"]), (["query", "keyword", "term", "search", "phrase", "topic"], "What to look for", lambda rng: words.words(rng, 1, 3), ["about {}", "for {q}", "matching {q}", "on {}"]), (["phone", "phone_number", "number", "mobile"], "Telephone number", words.phone, ["at {}", "with the number {}"]),
    (["symbol", "ticker", "stock"], "Ticker symbol", lambda rng: words.random_text(rng, 2, 5, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), ["of {}", "for {}"]), (["author", "artist", "owner", "assignee"], "The person responsible", words.person, ["by {}", "from {}"]), (["project", "team", "department", "company", "group"], "Which one", lambda rng: words.words(rng, 1, 2), ["in the project {q}", "for {q}", "in {q}"]),
]
NUMBERS = [
    (["count", "limit", "max_results", "number", "n", "amount", "quantity"], "How many", "integer", 1, 50, ["with a limit of {}", "limit {}", "at most {}", "{} of them"]), (["days", "nights", "num_days", "duration_days"], "Number of days", "integer", 1, 30, ["for {} days", "for the next {} days"]),
    (["minutes", "duration", "length_minutes"], "Duration in minutes", "integer", 1, 180, ["for {} minutes", "lasting {} minutes"]), (["guests", "people", "party_size", "seats", "passengers"], "Number of people", "integer", 1, 12, ["for {} people", "for {} guests"]),
    (["price", "budget", "max_price", "amount", "cost"], "Amount of money", "number", 1, 2000, ["for {}", "under {}", "with a budget of {}", "of {}"]), (["temperature", "target", "degrees"], "Degrees", "number", -10, 40, ["to {} degrees", "at {} degrees"]), (["percent", "level", "volume", "brightness"], "Percentage", "integer", 0, 100, ["to {} percent", "at {}%", "to {}"]),
    (["distance", "radius", "radius_km"], "Distance in kilometers", "number", 1, 500, ["within {} km", "with a radius of {} km"]), (["weight", "mass"], "Weight in kilograms", "number", 1, 150, ["weighing {} kg", "with a weight of {}"]), (["year"], "The year", "integer", 1900, 2035, ["in {}", "from {}"]), (["age"], "Age in years", "integer", 1, 99, ["aged {}", "at age {}"]),
    (["page"], "Page of results", "integer", 1, 20, ["page {}", "on page {}"]), (["x", "width"], "Width", "number", 1, 999, ["with width {}", "width {}"]), (["y", "height"], "Height", "number", 1, 999, ["with height {}", "height {}"]), (["rating", "score", "stars"], "From 1 to 5", "integer", 1, 5, ["with {} stars", "rated {}"]),
]
FLAGS = [(["include_details", "details", "verbose"], "with details", "without details"), (["notify", "send_notification"], "with a notification", "without a notification"), (["urgent", "is_urgent"], "marked as urgent", "not urgent"), (["public", "is_public"], "and make it public", "and keep it private"), (["recursive"], "recursively", "not recursively"), (["dry_run"], "as a dry run", "for real"), (["overwrite", "force"], "and overwrite it", "without overwriting"), (["breakfast", "include_breakfast"], "with breakfast", "without breakfast"), (["round_trip"], "with return", "one way")]
SMALL = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


@dataclass
class Parameter:
    """`say` takes the place of its value in a request; None: the request does not mention it (then it is optional)."""

    name: str
    schema: dict[str, Any]
    value: Any = None
    say: str | None = None
    required: bool = True
    others: list[str] = field(default_factory=list)


def _quote(rng: Random, text: str) -> str:
    return f'"{text}"' if rng.random() < 0.6 else f"'{text}'" if rng.random() < 0.3 else text


def _string(rng: Random) -> Parameter:
    names, about, make, says = rng.choice(STRINGS)
    value = make(rng)
    say = rng.choice(says).replace("{q}", _quote(rng, value)).replace("{}", value if rng.random() < 0.75 else _quote(rng, value))
    return Parameter(rng.choice(names), {"type": "string", "description": about}, value, say)


def _number(rng: Random) -> Parameter:
    names, about, kind, low, high, says = rng.choice(NUMBERS)
    value: float = rng.randint(low, high)
    if kind == "number" and rng.random() < 0.5:
        value = round(rng.uniform(low, high), rng.randint(1, 2))
    if isinstance(value, float) and value == int(value):
        value = int(value)
    shown = SMALL[int(value)] if isinstance(value, int) and 0 < value <= 12 and rng.random() < 0.15 else str(value)
    return Parameter(rng.choice(names), {"type": kind, "description": about}, value, rng.choice(says).replace("{}", shown))


def _enum(rng: Random) -> Parameter:
    name, options, says = rng.choice(ENUMS)
    options = rng.sample(options, rng.randint(2, len(options)))
    if rng.random() < 0.25:
        options = [option.upper() for option in options]
    value = rng.choice(options)
    shown = value.replace("_", " ") if rng.random() < 0.8 else value
    if shown.isupper() and len(shown) > 3 and rng.random() < 0.5:
        shown = shown.lower()
    return Parameter(name, {"type": "string", "enum": options, **({"description": f"The {name}"} if rng.random() < 0.5 else {})}, value, rng.choice(says).replace("{}", shown))


def _flag(rng: Random) -> Parameter:
    names, yes, no = rng.choice(FLAGS)
    value = rng.random() < 0.6
    return Parameter(rng.choice(names), {"type": "boolean", "description": f"Whether it is {yes}"}, value, yes if value else no)


def _list(rng: Random) -> Parameter:
    make = rng.choice([lambda r: r.choice(words.NAMES), lambda r: r.choice(words.CITIES), lambda r: words.words(r, 1, 1).lower(), words.email, words.filename])
    values = list(dict.fromkeys(make(rng) for _ in range(rng.randint(2, 4))))
    name = rng.choice(["tags", "items", "names", "attendees", "recipients", "files", "cities", "keywords", "labels"])
    spoken = ", ".join(values[:-1]) + f" and {values[-1]}" if len(values) > 1 else values[0]
    return Parameter(name, {"type": "array", "items": {"type": "string"}, "description": f"The {name}"}, values, rng.choice([f"with {name} {spoken}", f"for {spoken}", f"{name}: {spoken}"]))


def _numbers(rng: Random) -> Parameter:
    values = [rng.randint(-20, 200) for _ in range(rng.randint(2, 5))]
    name = rng.choice(["numbers", "values", "data", "scores", "points"])
    return Parameter(name, {"type": "array", "items": {"type": "number"}, "description": f"The {name}"}, values, rng.choice(["of ", "for ", f"with {name} ", f"for the {name} "]) + ", ".join(map(str, values[:-1])) + f" and {values[-1]}")


def _nested(rng: Random) -> Parameter:
    inner = [_string(rng), _number(rng)]
    if inner[0].name == inner[1].name:
        inner = inner[:1]
    name = rng.choice(["options", "details", "filter", "contact", "settings"])
    schema = {"type": "object", "properties": {item.name: item.schema for item in inner}, "required": [item.name for item in inner]}
    return Parameter(name, schema, {item.name: item.value for item in inner}, " ".join(item.say or "" for item in inner))


def _made_up(rng: Random) -> Parameter:
    """A parameter of random words, named in the request by its own name."""
    stem = [rng.choice(words.SHORT).lower() for _ in range(rng.randint(1, 2))]
    name, spoken = "_".join(stem), " ".join(stem)
    pick = rng.random()
    value: Any
    if pick < 0.5:
        value = words.value(rng)
        schema, shown = {"type": "string"}, _quote(rng, value)
    elif pick < 0.75:
        value = rng.randint(0, 10 ** rng.randint(1, 5))
        schema, shown = {"type": "integer"}, str(value)
    else:
        value = round(rng.uniform(-100, 1000), rng.randint(1, 3))
        schema, shown = {"type": "number"}, str(value)
    schema = {**schema, "description": rng.choice([f"The {spoken}", f"{spoken.capitalize()} to use", f"Value of the {spoken}"])}
    return Parameter(name, schema, value, rng.choice([f"with {spoken} {shown}", f"with the {spoken} {shown}", f"{spoken} {shown}", f"and set {spoken} to {shown}", f"using {shown} as {spoken}", f"where the {spoken} is {shown}"]))


def parameter(rng: Random) -> Parameter:
    """One at random."""
    return rng.choices([_string, _number, _enum, _flag, _list, _numbers, _nested, _made_up], [38, 17, 15, 5, 6, 2, 2, 15])[0](rng)
