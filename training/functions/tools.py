"""Tool definitions by composition: a verb, a noun of a domain and parameters."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from screens import words

from .parameters import Parameter, parameter

VERBS = {  # verb in the name: (how a request starts, how a description starts)
    "get": (["Get", "Show me", "Tell me", "What is", "Give me", "I need", "Find out"], "Get"), "find": (["Find", "Look up", "Search for", "Look for"], "Find"), "search": (["Search for", "Find", "Look for"], "Search for"),
    "create": (["Create", "Make", "Add", "Set up", "Please create"], "Create"), "add": (["Add", "Put in", "Please add"], "Add"), "delete": (["Delete", "Remove", "Get rid of"], "Delete"), "remove": (["Remove", "Delete", "Take out"], "Remove"),
    "update": (["Update", "Change", "Edit", "Modify"], "Update"), "send": (["Send", "Send off", "Please send"], "Send"), "book": (["Book", "Reserve", "I want to book"], "Book"), "cancel": (["Cancel", "Call off"], "Cancel"), "list": (["List", "Show", "Show me all"], "List"),
    "convert": (["Convert", "Turn"], "Convert"), "calculate": (["Calculate", "Compute", "Work out", "What is"], "Calculate"), "schedule": (["Schedule", "Plan", "Arrange"], "Schedule"), "start": (["Start", "Begin", "Launch", "Run"], "Start"), "stop": (["Stop", "End", "Halt"], "Stop"),
    "set": (["Set", "Change", "Adjust"], "Set"), "check": (["Check", "Verify", "Look at"], "Check"), "order": (["Order", "Buy", "I want to order"], "Order"), "play": (["Play", "Put on"], "Play"), "translate": (["Translate", "Put into another language"], "Translate"), "download": (["Download", "Fetch"], "Download"), "export": (["Export", "Save"], "Export"),
    "track": (["Track", "Follow", "Where is"], "Track"), "compare": (["Compare", "Contrast"], "Compare"), "rename": (["Rename", "Give a new name to"], "Rename"), "share": (["Share", "Pass on"], "Share"), "open": (["Open", "Show"], "Open"), "print": (["Print", "Print out"], "Print"), "assign": (["Assign", "Give"], "Assign"), "measure": (["Measure", "Determine"], "Measure"),
}
DOMAINS = {
    "weather": ["weather", "forecast", "temperature", "humidity", "wind speed", "air quality", "sunrise time"], "calendar": ["meeting", "event", "appointment", "reminder", "holiday"], "mail": ["email", "message", "draft", "newsletter", "attachment"], "travel": ["flight", "hotel room", "train ticket", "rental car", "itinerary", "route"],
    "shop": ["product", "order", "cart", "invoice", "discount code", "refund", "shipment"], "money": ["exchange rate", "payment", "account balance", "transfer", "stock price", "loan rate", "budget"], "files": ["file", "folder", "archive", "backup", "document", "report", "spreadsheet"], "home": ["light", "thermostat", "alarm", "door lock", "camera", "heating", "robot vacuum"],
    "music": ["song", "playlist", "album", "radio station", "podcast"], "health": ["prescription", "blood pressure", "workout", "calorie count", "doctor visit"], "work": ["task", "ticket", "project", "employee", "timesheet", "bug report", "contract"], "food": ["recipe", "restaurant table", "pizza", "shopping list", "menu"], "maps": ["distance", "parking spot", "traffic", "directions", "map"],
    "school": ["course", "grade", "homework", "lecture", "exam"], "people": ["contact", "user", "profile", "customer", "member"], "servers": ["server", "container", "database", "deployment", "log", "certificate"], "math": ["average", "square root", "area", "sum", "percentage"],
}
HELD_OUT = {"zoo": ["animal", "enclosure", "feeding time", "keeper", "ticket price"], "theater": ["play", "seat", "performance", "rehearsal", "costume"], "garden": ["plant", "watering plan", "seed packet", "greenhouse", "compost bin"], "astronomy": ["telescope", "star chart", "eclipse", "orbit", "observation"], "postal": ["parcel", "stamp", "delivery route", "letter", "mailbox"]}
"""Domains that training never sees; the evaluation's tools come from them."""
HELD_OUT_VERBS = {"reserve": (["Reserve", "Keep"], "Reserve"), "inspect": (["Inspect", "Look at"], "Inspect"), "feed": (["Feed", "Give food to"], "Feed"), "register": (["Register", "Sign up"], "Register"), "estimate": (["Estimate", "Roughly calculate"], "Estimate")}


@dataclass
class Tool:
    """A definition with one request in mind: `parameters` carry the values and how the request says them."""

    name: str
    verb: str
    noun: str
    description: str
    parameters: list[Parameter]
    openings: list[str]

    def definition(self) -> dict[str, Any]:
        """As in the `tools` of a chat request."""
        schema: dict[str, Any] = {"type": "object", "properties": {item.name: item.schema for item in self.parameters}}
        required = [item.name for item in self.parameters if item.required]
        if required:
            schema["required"] = required
        return {"type": "function", "function": {"name": self.name, "description": self.description, "parameters": schema}}

    def arguments(self) -> dict[str, Any]:
        """What the request gives."""
        return {item.name: item.value for item in self.parameters if item.say is not None}


def _name(rng: Random, verb: str, noun: str, domain: str, prefixed: bool = False) -> str:
    parts = [verb, *noun.split(" ")]
    pick = rng.random()
    if prefixed or 0.88 <= pick < 0.95:
        return f"{domain}_{verb}_{noun.replace(' ', '_')}"
    if pick < 0.6:
        return "_".join(parts)
    if pick < 0.8:
        return parts[0] + "".join(part.capitalize() for part in parts[1:])
    if pick < 0.88:
        return "_".join([*noun.split(" "), verb])
    return "".join(part.capitalize() for part in parts)


def _made_up_verb(rng: Random, verb: str) -> tuple[list[str], str]:
    """Openings and the description's start of a word that is no verb of the list: half of them speak of the deed in another word, so that the noun alone tells which function is meant."""
    opening = verb if rng.random() < 0.5 else rng.choice(words.SHORT).lower()
    return [opening.capitalize()], verb.capitalize()


def make_tool(rng: Random, held_out: bool = False, verb: str | None = None, noun: str | None = None) -> Tool:
    """One tool; `verb` or `noun` fixed to make look-alikes."""
    domains = HELD_OUT if held_out else DOMAINS
    verbs = {**VERBS, **HELD_OUT_VERBS} if held_out else VERBS
    domain = rng.choice(list(domains))
    noun = noun or (rng.choice(domains[domain]) if held_out or rng.random() < 0.6 else " ".join(rng.choice(words.SHORT).lower() for _ in range(rng.randint(1, 2))))
    verb = verb or (rng.choice(list(verbs)) if held_out or rng.random() < 0.8 else rng.choice(words.SHORT).lower())
    openings, start = verbs.get(verb) or _made_up_verb(rng, verb)
    prefixed = not held_out and rng.random() < 0.15
    if prefixed:
        domain = rng.choice(words.SHORT).lower()
    parameters: list[Parameter] = []
    for _ in range(rng.choices([0, 1, 2, 3, 4, 5], [4, 28, 32, 20, 11, 5])[0]):
        item = parameter(rng)
        if item.name in {other.name for other in parameters} or item.say in {other.say for other in parameters}:
            continue
        if rng.random() < 0.3:
            item.required = False
            if rng.random() < 0.55:
                item.say = None
        parameters.append(item)
    article = "an" if noun[0] in "aeiou" else "a"
    description = rng.choice([f"{start} {article} {noun}", f"{start} the {noun}", f"{start} {noun}", f"{start} {article} {noun} in the {domain} system", f"{start} the current {noun}"]) + rng.choice([".", ""])
    return Tool(_name(rng, verb, noun, domain, prefixed), verb, noun, description, parameters, openings)


def request(rng: Random, tool: Tool) -> str:
    """What a user says who needs this tool."""
    opening = rng.choice(tool.openings)
    article = rng.choice(["the", "the", "a" if tool.noun[0] not in "aeiou" else "an", ""]) if opening not in ("What is", "Where is") else "the"
    said = [item.say for item in tool.parameters if item.say is not None]
    rng.shuffle(said)
    text = " ".join(part for part in [opening, article, tool.noun] if part)
    if said and rng.random() < 0.12:
        text = said[0][:1].upper() + said[0][1:] + ", " + text[:1].lower() + text[1:]
        said = said[1:]
    for index, part in enumerate(said):
        text += (", " if index and rng.random() < 0.35 else " and " if index and index == len(said) - 1 and rng.random() < 0.25 and not part.startswith("and ") else " ") + part
    if rng.random() < 0.15 and opening[0].isupper() and opening not in ("I need", "I want to book", "I want to order", "What is", "Where is"):
        text = rng.choice(["Please ", "Can you ", "Could you ", "I'd like you to ", "Would you "]) + text[:1].lower() + text[1:]
    return text + ("?" if opening in ("What is", "Where is") or text.startswith(("Can", "Could", "Would")) else rng.choice([".", ".", ""]))
