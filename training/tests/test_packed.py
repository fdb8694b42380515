"""The packed pass gives the logits of transformers' Qwen3-VL, whatever the picture's size and whatever else is in the row."""

import numpy as np
import pytest
import torch

from model.checkpoint import TINY, load
from screens.canvas import CLASSES

PROMPTS = [("Click OK", "Done"), ('Task: set Name to "Ada"\nPrevious actions: none', "Action: click Name"), ("Is it on?", "Yes")]


@pytest.fixture(scope="module")
def loaded():
    torch.set_num_threads(2)
    packed, tokenizer = load(TINY, CLASSES)
    return packed.eval(), tokenizer


def test_pictures_with_packed_prompts(loaded) -> None:
    packed, tokenizer = loaded
    for height, width in ((96, 160), (160, 96), (480, 640)):
        picture = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, height, width, 3), dtype=np.uint8))
        ids, segment, position, spans = [], [], [], []
        for number, (prompt, answer) in enumerate(PROMPTS, 1):
            tokens = tokenizer.encode(prompt + "<|im_end|>\n<|im_start|>assistant\n" + answer + "<|im_end|>").ids
            spans.append((len(ids), len(ids) + len(tokens), tokens))
            ids += tokens
            segment += [number] * len(tokens)
            position += list(range(len(tokens)))
        with torch.no_grad():
            states, _, _ = packed.hidden(picture, torch.tensor([ids]), torch.tensor([segment]), torch.tensor([position]), None, None, None, flex=False)
            logits = packed.logits(states)[0]
        patches = packed.patches(picture)[0].view(-1, 3, 1, 256).expand(-1, -1, 2, -1).reshape(-1, 1536)
        count = (height // 32) * (width // 32)
        for start, end, tokens in spans:
            before = tokenizer.encode("<|im_start|>user\n<|vision_start|>" + "<|image_pad|>" * count + "<|vision_end|>").ids
            whole = torch.tensor([before + tokens])
            with torch.no_grad():
                expected = packed.model(
                    input_ids=whole, attention_mask=torch.ones_like(whole), pixel_values=patches, image_grid_thw=torch.tensor([[1, height // 16, width // 16]]),
                    mm_token_type_ids=(whole == packed.model.config.image_token_id).int(),
                ).logits[0, len(before) :]
            assert (logits[start:end] - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_rows_without_a_picture_beside_rows_with_one(loaded) -> None:
    packed, tokenizer = loaded
    first, second = tokenizer.encode("<|im_start|>user\nHello<|im_end|>").ids, tokenizer.encode("<|im_start|>user\nWhat is the weather in Oslo?<|im_end|>").ids
    length = 4 + 15 + 1 + 30
    ids = torch.tensor([first + second + [0] * (length - len(first) - len(second))])
    segment = torch.tensor([[1] * len(first) + [2] * len(second) + [-1] * (length - len(first) - len(second))])
    position = torch.tensor([list(range(len(first))) + list(range(len(second))) + [0] * (length - len(first) - len(second))])
    picture = torch.zeros(1, 96, 160, 3, dtype=torch.uint8)
    filler = torch.zeros(1, 30, dtype=torch.long)
    with torch.no_grad():
        _, states, _ = packed.hidden(picture, filler, filler + 1, filler, ids, segment, position, flex=False)
        logits = packed.logits(states)[0]
        for start, tokens in ((0, first), (len(first), second)):
            expected = packed.model(input_ids=torch.tensor([tokens])).logits[0]
            assert (logits[start : start + len(tokens)] - expected).abs().max() <= 1e-5 * expected.abs().max()
