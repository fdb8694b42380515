"""The conversations that the goldens are made of. A picture is a path below test/golden/fixtures."""

from dataclasses import dataclass


def _picture(name: str) -> dict:
    return {"type": "image", "image": f"pictures/{name}"}


def _text(text: str) -> dict:
    return {"type": "text", "text": text}


def _user(*parts: dict | str) -> dict:
    if len(parts) == 1 and isinstance(parts[0], str):
        return {"role": "user", "content": parts[0]}
    return {"role": "user", "content": [_text(part) if isinstance(part, str) else part for part in parts]}


@dataclass(frozen=True)
class Case:
    name: str
    messages: list[dict]


_LONG = " ".join(
    f"{number}. The {animal} sees {number * 7} shells by the shore and wants to know if it's raining."
    for number, animal in enumerate(["fox", "dog", "cat", "owl", "bee", "cow"], start=1)
)

TEXT_CASES = [
    Case("short", [_user("What colour is the fox?")]),
    Case("long", [{"role": "system", "content": "You are a helpful assistant: café, naïve, 日本."}, _user(_LONG)]),
    Case(
        "second_turn",
        [
            _user("What colour is the fox?"),
            {"role": "assistant", "content": "The quick fox is brown."},
            _user("And the dog? 😀"),
        ],
    ),
]

VISION_CASES = [
    Case("text", [_user("What colour is the fox?")]),
    Case("one_picture", [_user(_picture("gradient-96x64.png"), "Describe this picture.")]),
    Case(
        "two_pictures",
        [
            _user(
                "Compare the first picture ",
                _picture("shapes-64x80.png"),
                " with the second picture ",
                _picture("gradient-97x61.png"),
                ". What is the same?",
            )
        ],
    ),
    Case(
        "second_turn",
        [
            _user(_picture("gradient-96x64.png"), "Describe this picture."),
            {"role": "assistant", "content": "It is blue on the left."},
            _user("And on the right?"),
        ],
    ),
]

# Pictures that the processor has to scale.
SCALED_CASES = [
    Case("scaled_down", [_user(_picture("shapes-200x150.png"), "What is in this picture?")]),
    Case("tall", [_user(_picture("noise-64x224.png"), "What is in this picture?")]),
    Case("scaled_up", [_user(_picture("shapes-21x13.png"), "What is in this picture?")]),
]
