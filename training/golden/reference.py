"""transformers as the oracle."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

from .prompt import Prompt


@dataclass
class Answer:
    logits: np.ndarray  # (L, vocabulary) f32, of the whole prompt
    greedy: list[int]
    rope_delta: int | None = None  # next position minus the number of tokens; for models with mRoPE
    tensors: dict[str, np.ndarray] = field(default_factory=dict)  # points on the way


class Reference:
    """A model folder in transformers, computing in `dtype`."""

    def __init__(self, folder: Path, vision: bool, dtype: torch.dtype = torch.float32):
        factory = AutoModelForImageTextToText if vision else AutoModelForCausalLM
        self.model, report = factory.from_pretrained(folder, dtype=dtype, output_loading_info=True)
        wrong = {key: names for key, names in report.items() if names}
        if wrong:
            raise RuntimeError(f"{folder}: {wrong}")
        self.model.eval()
        self.vision = vision

    @torch.no_grad()
    def answer(self, prompt: Prompt, new_tokens: int, stop: int | None = None) -> Answer:
        ids = torch.tensor([prompt.token_ids])
        inputs: dict = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        tensors: dict[str, np.ndarray] = {}
        rope_delta = None
        if self.vision:
            inputs["mm_token_type_ids"] = (ids == (-1 if prompt.image_token_id is None else prompt.image_token_id)).int()
        if prompt.pixel_values is not None:
            grid = torch.from_numpy(prompt.image_grid_thw)
            inputs |= {"pixel_values": torch.from_numpy(prompt.pixel_values), "image_grid_thw": grid}
            tensors |= self._vision(inputs["pixel_values"], grid)
        if self.vision:
            positions, deltas = self.model.model.get_rope_index(
                ids, inputs["mm_token_type_ids"], inputs.get("image_grid_thw")
            )
            tensors["position_ids"] = positions.numpy().astype(np.int32)
            rope_delta = int(deltas)
        logits = self.model(**inputs).logits[0].float().numpy()
        generated = self.model.generate(
            **inputs, max_new_tokens=new_tokens, do_sample=False, eos_token_id=stop, pad_token_id=0
        )[0, ids.shape[1] :].tolist()
        return Answer(logits, generated, rope_delta, tensors)

    def _vision(self, pixels: torch.Tensor, grid: torch.Tensor) -> dict[str, np.ndarray]:
        """`vision_input`: patch plus position embeddings; `vision_output` and `deepstack_I`: what the text model takes in."""
        tower, seen = self.model.model.visual, {}
        hook = tower.blocks[0].register_forward_pre_hook(lambda _, args: seen.update(input=args[0]))
        output = tower(pixels.to(tower.dtype), grid_thw=grid)
        hook.remove()
        tensors = {"vision_input": seen["input"], "vision_output": output.pooler_output}
        tensors |= {f"deepstack_{index}": feature for index, feature in enumerate(getattr(output, "deepstack_features", []))}
        return {name: tensor.float().numpy() for name, tensor in tensors.items()}
