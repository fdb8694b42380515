"""Rows are packed as said, and a few steps on one batch bring its loss down."""

from random import Random

import numpy as np
import torch

from model.checkpoint import TINY, load
from model.optimiser import make_optimisers, update
from model.packing import pack
from model.train import loss_of
from screens.canvas import CLASSES
from tasks.form import END, STOP, Sample


def test_rows_hold_whole_samples_and_learn_answers_only() -> None:
    _, tokenizer = load(TINY, CLASSES)
    found = [Sample("a", "Click OK", "Done"), Sample("b", "Is it on?", "Yes"), Sample("c", "x " * 200, "no")]
    row = pack(tokenizer, found, 60)
    assert row.count == 2
    for number, sample in enumerate(found[:2], 1):
        inside = row.segment == number
        assert tokenizer.decode(row.ids[inside].tolist(), skip_special_tokens=False) == sample.prompt + END + sample.answer + STOP
        learnt = np.nonzero(inside & (row.learn > 0))[0] + 1
        assert tokenizer.decode(row.ids[learnt].tolist(), skip_special_tokens=False) == sample.answer + STOP


def test_a_few_steps_learn_one_batch() -> None:
    torch.manual_seed(0)
    packed, tokenizer = load(TINY, CLASSES)
    muon, adam = make_optimisers(packed, 0.05)
    picture = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 96, 160, 3), dtype=np.uint8))
    row = pack(tokenizer, [Sample("a", f"What is in the field {index}?", Random(index).choice(["Ada", "Bob", "Eve"])) for index in range(4)], 100)
    tensors = [torch.from_numpy(array)[None] for array in row.arrays()]
    slots = torch.zeros(1, 6, 40, dtype=torch.uint8)
    losses = []
    for _ in range(6):
        loss, parts = loss_of(packed, [picture, slots, *tensors], None, False, 0.1)
        loss.backward()
        update(packed, muon, adam, 1e-3)
        losses.append(float(parts["picture"]))
    assert losses[-1] < 0.5 * losses[0], losses


def test_no_gradient_outlives_its_step() -> None:
    torch.manual_seed(0)
    network = torch.nn.ModuleDict({"matrix": torch.nn.Linear(4, 3, bias=False), "auxiliary": torch.nn.Linear(3, 2)})
    muon, adam = make_optimisers(network, 0.0)
    for poison in (1.0, float("nan"), 1.0):
        before = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}
        (network["auxiliary"](network["matrix"](torch.ones(1, 4))).square().sum() * poison).backward()
        norm = update(network, muon, adam, 1e-3)
        assert bool(torch.isfinite(norm)) == (poison == 1.0)
        assert all(parameter.grad is None for parameter in network.parameters())
        for name, parameter in network.named_parameters():
            assert torch.isfinite(parameter).all()
            assert torch.equal(parameter, before[name]) == (poison != 1.0), name
