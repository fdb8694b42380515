"""Conversations: answers parse, fit their tools, and hold only what the request says; the template is the model's own."""

import json
import re
from random import Random

from transformers import PreTrainedTokenizerFast

from functions.make import TEMPLATE, conversation, render
from functions.tools import DOMAINS, HELD_OUT, make_tool, request


def test_values_come_from_the_request() -> None:
    for seed in range(300):
        tool = make_tool(Random(seed))
        text = request(Random(seed), tool).lower()
        for item in tool.parameters:
            if item.say is None:
                assert not item.required and item.name not in tool.arguments()
            elif item.schema["type"] == "string" and "enum" not in item.schema:
                assert str(item.value).lower() in text
            elif "enum" in item.schema:
                assert item.value in item.schema["enum"] and str(item.value).lower().replace("_", " ") in text.replace("_", " ")


def test_calls_name_a_tool_that_is_there() -> None:
    for seed in range(300):
        sample = conversation(Random(seed), held_out=seed % 2 == 0)
        names = re.findall(r'"function": {"name": "([^"]+)"', sample.prompt)
        for text in re.findall(r"<tool_call>\n(.*)\n</tool_call>", sample.answer):
            call = json.loads(text)
            assert call["name"] in names and isinstance(call["arguments"], dict)


def test_unseen_domains_are_unseen() -> None:
    seen = {noun for nouns in DOMAINS.values() for noun in nouns}
    assert not seen & {noun for nouns in HELD_OUT.values() for noun in nouns}


def test_rendered_as_transformers_does() -> None:
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(TEMPLATE.parent / "tokenizer.json"), chat_template=TEMPLATE.read_text())
    for seed in range(10):
        tool = make_tool(Random(seed))
        messages = [{"role": "user", "content": request(Random(seed), tool)}, {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": {"name": tool.name, "arguments": tool.arguments()}}]}, {"role": "tool", "content": "ok"}]
        expected = tokenizer.apply_chat_template(messages, tools=[tool.definition()], tokenize=False, add_generation_prompt=True)
        assert render(messages, [tool.definition()]) == expected
