"""Conversations with tools, rendered by the model's own chat template: what goes in and the answer expected."""

from __future__ import annotations

import json
import string
from pathlib import Path
from random import Random
from typing import Any

from jinja2.sandbox import ImmutableSandboxedEnvironment

from screens import words
from tasks.form import Sample

from .parameters import Parameter
from .tools import Tool, make_tool, request

TEMPLATE = Path(__file__).resolve().parents[2] / "models/tiny/chat_template.jinja"
NONE_FITS = "None of the available functions can do that."
CONDITIONS = ["sunny", "cloudy", "rainy", "windy", "clear", "snowing", "foggy", "stormy", "partly cloudy"]


def _environment() -> ImmutableSandboxedEnvironment:
    """As transformers renders templates."""
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)
    return environment


_template = _environment().from_string(TEMPLATE.read_text())


def render(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
    """The prompt up to where the model goes on."""
    return str(_template.render(messages=messages, tools=tools, add_generation_prompt=True))


def call_text(name: str, arguments: dict[str, Any]) -> str:
    """A call as the model writes it."""
    return "<tool_call>\n" + json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False) + "\n</tool_call>"


def _others(rng: Random, tool: Tool, held_out: bool) -> list[Tool]:
    """Tools beside the one needed; some share its verb or its noun."""
    found = []
    names = {tool.name}
    for _ in range(rng.choices([0, 1, 2, 3, 4], [26, 30, 22, 14, 8])[0]):
        pick = rng.random()
        other = make_tool(rng, held_out, verb=tool.verb if pick < 0.25 else None, noun=tool.noun if 0.25 <= pick < 0.4 else None)
        if other.name not in names and (other.verb, other.noun) != (tool.verb, tool.noun) and not (other.noun == tool.noun and set(other.openings) & set(tool.openings)):
            names.add(other.name)
            found.append(other)
    return found


def weather(rng: Random) -> Tool:
    """The tool of many examples."""
    name = rng.choice(["get_weather", "get_current_weather", "weather", "getWeather", "current_weather", "fetch_weather", "get_forecast"])
    city = rng.choice(words.CITIES) if rng.random() < 0.6 else words.words(rng, 1, 1).capitalize()
    parameters = [Parameter(rng.choice(["city", "location", "place"]), {"type": "string", **({"description": rng.choice(["City name", "The city", "City and state, e.g. San Francisco, CA"])} if rng.random() < 0.6 else {})}, city, rng.choice([f"in {city}", f"in {city}", f"for {city}"]))]
    if rng.random() < 0.4:
        unit = rng.choice(["celsius", "fahrenheit"])
        said = rng.random() < 0.6
        parameters.append(Parameter(rng.choice(["unit", "units"]), {"type": "string", "enum": ["celsius", "fahrenheit"]}, unit, f"in {unit}" if said else None, required=said and rng.random() < 0.3))
    return Tool(name, "get", "weather", rng.choice(["Get the weather", "Get the current weather in a city", "Current weather", "Weather for a location", "Return the weather of a city."]), parameters, ["What is", "How is", "Tell me", "What's", "Show me", "Get", "Check"])


def result_of(rng: Random, tool: Tool) -> tuple[str, str]:
    """(what the tool returns, the answer in one sentence)."""
    place = next((item.value for item in tool.parameters if item.say and isinstance(item.value, str)), None)
    pick = rng.random()
    if pick < 0.08:
        error = rng.choice(["not found", "timeout", "permission denied", "invalid value", "service unavailable", "no such " + tool.noun])
        return json.dumps({"error": error}), f"The call failed: {error}."
    if tool.noun == "weather" or pick < 0.3:
        temperature = rng.randint(-15, 40) if rng.random() < 0.8 else round(rng.uniform(-15, 40), 1)
        condition = rng.choice(CONDITIONS) if rng.random() < 0.8 else words.words(rng, 1, 1).lower()
        where = f" in {place}" if place and tool.noun == "weather" else ""
        unit = rng.choice([("", "degrees"), ("C", "°C"), ("F", "°F")])
        if rng.random() < 0.2:
            return f"{condition}, {temperature} {unit[1]}", f"It is {condition}{where} with {temperature} {unit[1]}."
        key = rng.choice(["temperature", "temp", "temperature" + ("_" + unit[0].lower() if unit[0] else "")])
        second = rng.choice(["condition", "conditions", "description", "sky"])
        return json.dumps({key: temperature, **({"unit": unit[0]} if unit[0] and key == "temperature" else {}), second: condition}), f"It is {condition}{where} with {temperature} {unit[1] if unit[0] else 'degrees'}."
    if pick < 0.5:
        identifier = words.random_text(rng, 3, 8, string.ascii_uppercase + string.digits)
        return json.dumps({"status": rng.choice(["ok", "success", "done"]), "id": identifier}), f"Done. The id is {identifier}."
    if pick < 0.6:
        return rng.choice(['{"status": "ok"}', "ok", '{"success": true}', "done"]), "Done."
    if pick < 0.72:
        value = rng.choice([words.value(rng), words.number(rng)])
        return value if rng.random() < 0.5 else json.dumps({"result": value}, ensure_ascii=False), f"The {tool.noun} is {value}."
    facts = {}
    for _ in range(rng.randint(1, 3)):
        key = rng.choice(["name", "price", "total", "date", "time", "status", "count", "city", "owner", "size", "distance", "rate", "address", *(rng.choice(words.SHORT).lower() for _ in range(6))])
        facts[key] = rng.choice([words.value(rng), rng.randint(0, 9999), round(rng.uniform(0, 500), 2), words.person(rng)])
    parts = [f"the {key} is {value}" for key, value in facts.items()]
    text = ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1]
    return json.dumps(facts, ensure_ascii=False), text[:1].upper() + text[1:] + "."


def conversation(rng: Random, held_out: bool = False) -> Sample:
    """One sample: a call, several calls, the answer to a result, or that nothing fits. The prompt is the whole rendered text."""
    tool = weather(rng) if not held_out and rng.random() < 0.08 else make_tool(rng, held_out)
    others = _others(rng, tool, held_out)
    pick = rng.random()
    system = [{"role": "system", "content": rng.choice(["You are a helpful assistant.", "Use the functions when they help.", "You are an assistant with functions.", words.sentence(rng, 3, 8)])}] if rng.random() < 0.25 else []
    user = {"role": "user", "content": request(rng, tool)}
    if pick < 0.1 and others:
        tools = others
        rng.shuffle(tools)
        if any(other.noun == tool.noun or other.verb == tool.verb for other in others):
            tools = [other for other in others if other.noun != tool.noun and other.verb != tool.verb] or [make_tool(rng, held_out, verb="measure" if tool.verb != "measure" else "get")]
        return Sample("function:none", render([*system, user], [item.definition() for item in tools]), NONE_FITS)
    tools = [tool, *others]
    rng.shuffle(tools)
    definitions = [item.definition() for item in tools]
    arguments = tool.arguments()
    if pick < 0.2:
        strings = [item for item in tool.parameters if item.say and isinstance(item.value, str) and "enum" not in item.schema and item.value in item.say]
        if strings:
            item = rng.choice(strings)
            assert item.say is not None
            second = rng.choice(words.CITIES) if item.value in words.CITIES else words.value(rng)
            if second != item.value:
                text = str(user["content"]).replace(item.say, item.say.replace(item.value, f"{item.value} and {second}"), 1)
                answers = [call_text(tool.name, {**arguments, item.name: value}) for value in (item.value, second)]
                return Sample("function:two calls", render([*system, {"role": "user", "content": text}], definitions), "\n".join(answers))
    if pick < 0.74:
        return Sample("function:call", render([*system, user], definitions), call_text(tool.name, arguments))
    result, reply = result_of(rng, tool)
    called = {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": {"name": tool.name, "arguments": arguments}}]}
    answered = [*system, user, called, {"role": "tool", "content": result}]
    if pick < 0.93:
        return Sample("function:answer", render(answered, definitions), reply)
    follow = make_tool(rng, held_out)
    if follow.name in {item.name for item in tools} or follow.verb == tool.verb:
        return Sample("function:answer", render(answered, definitions), reply)
    later = [*answered, {"role": "assistant", "content": reply}, {"role": "user", "content": request(rng, follow)}]
    return Sample("function:second call", render(later, [*definitions, follow.definition()]), call_text(follow.name, follow.arguments()))
