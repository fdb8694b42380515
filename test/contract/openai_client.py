"""OpenAI's Python client against a server: prints what it read as JSON."""

import json
import sys

import openai

base_url, model, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
client = openai.OpenAI(base_url=base_url, api_key="the-key", max_retries=0)
messages = [{"role": "user", "content": "hello"}]
tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}]
chats = []
for _ in range(count):
    whole = client.chat.completions.create(model=model, messages=messages, tools=tools).choices[0]
    content, reasoning, calls, finish = "", "", {}, []
    with client.chat.completions.create(model=model, messages=messages, tools=tools, stream=True, stream_options={"include_usage": True}) as stream:
        for chunk in stream:
            for choice in chunk.choices:
                content += choice.delta.content or ""
                reasoning += getattr(choice.delta, "reasoning_content", None) or ""
                for call in choice.delta.tool_calls or []:
                    known = calls.setdefault(call.index, {"id": call.id, "name": call.function.name, "arguments": ""})
                    known["arguments"] += call.function.arguments or ""
                if choice.finish_reason:
                    finish.append(choice.finish_reason)
    message = whole.message
    chats.append({
        "whole": {
            "content": message.content,
            "reasoning": message.reasoning_content,
            "calls": [{"id": c.id, "name": c.function.name, "arguments": c.function.arguments} for c in message.tool_calls],
            "finish": [whole.finish_reason],
        },
        "streamed": {"content": content, "reasoning": reasoning, "calls": list(calls.values()), "finish": finish},
    })

response = client.responses.create(model=model, input="hello", tools=[{"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": None}])
with client.responses.stream(model=model, input="hello") as stream:
    for _ in stream:
        pass
    streamed = stream.get_final_response()
errors = []
for wrong in ({"model": "other", "messages": messages}, {"model": model, "messages": []}):
    try:
        client.chat.completions.create(**wrong)
    except openai.APIStatusError as error:
        errors.append([type(error).__name__, error.status_code])
json.dump({
    "chats": chats,
    "response": [response.output_text, streamed.output_text, streamed.status],
    "models": [entry.id for entry in client.models.list()],
    "errors": errors,
}, sys.stdout)
