"""Train the embedded screen model; continue from a folder or from the state that an earlier call left on disk.

    python -m model.train --out $OUT --state /tmp/deskhand/state.pt --seconds 560 --total-seconds 3000
    torchrun --nproc-per-node 4 -m model.train …        # the same on several GPUs
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import torch
import torch.distributed as distributed
import torch.nn.functional as F
from torch import Tensor

from screens.canvas import CLASSES

from . import applications
from . import evaluate as evaluation
from . import packed as module
from .augment import augment
from .checkpoint import TINY, export, load, load_state, save_state
from .feed import IGNORED, Pool, Rows
from .optimiser import Muon, make_optimisers, update
from .packed import Packed
from .schedule import STARTED, Log, rate_at

TEXT_WEIGHT = 0.35
"""Of the mean loss of text-only rows beside that of rows with pictures: answers there are few and long prompts dear."""


def arguments() -> argparse.Namespace:
    """Command line; times are seconds of the wall clock."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--init", type=Path, default=TINY, help="model folder to start from when there is no state")
    parser.add_argument("--state", type=Path, required=True, help="file with weights and optimiser; read when it exists, written at the end")
    parser.add_argument("--out", type=Path, required=True, help="folder for the exported weights, log and evaluation")
    parser.add_argument("--seconds", type=float, default=560, help="this call ends by then, evaluation and export included")
    parser.add_argument("--total-seconds", type=float, default=3000, help="of training in all calls: the schedule's end")
    parser.add_argument("--rate", type=float, default=1.6e-3)
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--pictures", type=int, default=48, help="rows with pictures a step and GPU")
    parser.add_argument("--texts", type=int, default=8, help="text-only rows a step and GPU")
    parser.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) * 3 // 4), help="rendering processes in all; a step waits when they take every core")
    parser.add_argument("--pool-gigabytes", type=float, default=24)
    parser.add_argument("--prefill", type=int, default=1200, help="rows to wait for before the first step")
    parser.add_argument("--harvest", type=Path, help="folder of real screens (screens/store.py)")
    parser.add_argument("--harvest-share", type=float, default=0.3)
    parser.add_argument("--auxiliary", type=float, default=0.4, help="weight of the auxiliary loss")
    parser.add_argument("--evaluate-seconds", type=float, default=60, help="0: no evaluation in this call")
    parser.add_argument("--evaluate-screens", type=int, default=96)
    parser.add_argument("--applications", type=Path, help="folder of photographed applications (training/evaluate makes it): ask about them too")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=10**9, help="at most this many in this call")
    parser.add_argument("--no-flex", action="store_true", help="attention by a mask tensor instead of flex attention")
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args()


def loss_of(packed: Packed, rows: list[Tensor], texts: list[Tensor] | None, flex: bool, auxiliary_weight: float) -> tuple[Tensor, dict[str, Tensor]]:
    """The mean over answer tokens plus the auxiliary loss; parts for the log."""
    pictures, slots, ids, segment, position, learn = rows
    ids, segment, position = ids.long(), segment.long(), position.long()
    text = [tensor.long() for tensor in texts[:3]] if texts else [None, None, None]
    states, text_states, kept = packed.hidden(augment(pictures), ids, segment, position, *text, flex=flex)
    assert states is not None and kept is not None
    chosen = learn[:, :-1] > 0
    loss = F.cross_entropy(packed.logits(states[:, :-1][chosen]).float(), ids[:, 1:][chosen])
    parts = {"picture": loss.detach()}
    if texts and text_states is not None:
        chosen = texts[3][:, :-1] > 0
        text_loss = F.cross_entropy(packed.logits(text_states[:, :-1][chosen]).float(), text[0][:, 1:][chosen])
        loss = (loss + TEXT_WEIGHT * text_loss) / (1 + TEXT_WEIGHT)
        parts["text"] = text_loss.detach()
    auxiliary = auxiliary_loss(packed, kept, slots)
    parts["auxiliary"] = auxiliary.detach()
    return loss + auxiliary_weight * auxiliary, parts


def auxiliary_loss(packed: Packed, kept: Tensor, slots: Tensor) -> Tensor:
    """Which character or box state each slot of a patch shows; states weigh four times, empty slots together half."""
    count, rows, columns = slots.shape
    target = slots.view(count, rows // 2, 2, columns // 8, 2, 4).permute(0, 1, 3, 2, 4, 5).reshape(-1).long()
    logits = packed.auxiliary(F.layer_norm(kept.float(), (kept.shape[-1],))).float().view(-1, CLASSES)
    known = target != IGNORED
    losses = F.cross_entropy(logits, torch.where(known, target, torch.zeros_like(target)), reduction="none")
    shown = known & (target > 0)
    weight = shown.float() * (1 + 3 * (target >= CLASSES - 6).float())
    empty = (known & (target == 0)).float()
    return (losses * weight).sum() / weight.sum().clamp(min=1) + 0.5 * (losses * empty).sum() / empty.sum().clamp(min=1)


def _reduce(packed: Packed) -> None:
    """Mean of all processes' gradients."""
    gradients = [parameter.grad for parameter in packed.parameters() if parameter.grad is not None]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    distributed.all_reduce(flat, op=distributed.ReduceOp.AVG)
    offset = 0
    for gradient in gradients:
        gradient.copy_(flat[offset : offset + gradient.numel()].view_as(gradient))
        offset += gradient.numel()


def _compile(packed: Packed, flex: bool) -> None:
    """Compile the blocks: the text's for its one shape, the tower's for any number of patches from the second on. Evaluation stays plain."""
    torch._dynamo.config.recompile_limit = 64
    vision, text = torch.compile(module.vision_block), torch.compile(module.text_block)
    packed.vision_block = lambda *rest: (vision if torch.is_grad_enabled() else module.vision_block)(*rest)
    packed.text_block = lambda *rest: (text if torch.is_grad_enabled() else module.text_block)(*rest)
    if flex:
        packed.block_mask = torch.compile(module.create_block_mask)


def progress_of(state: Path) -> dict[str, Any]:
    """How far training is, from the small file beside the state: each call draws other screens."""
    beside = state.with_suffix(".json")
    return json.loads(beside.read_text()) if beside.exists() else {"seconds": 0.0, "steps": 0, "pictures": 0, "calls": 0}


def main() -> None:
    """One call."""
    options = arguments()
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    end = STARTED + options.seconds
    options.out.mkdir(parents=True, exist_ok=True)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)  # tensors arrive as descriptors
    log = Log(options.out / "log.txt" if rank == 0 else None)
    log("options", json.dumps({key: str(value) for key, value in vars(options).items()}))
    cuda = options.device == "cuda"
    pending = None
    helpers = multiprocessing.get_context("fork").Pool(2) if rank == 0 and options.evaluate_seconds and options.workers else None
    if helpers:
        pending = helpers.map_async(evaluation.held_out, range(options.evaluate_screens), chunksize=8)
    calls = progress_of(options.state)["calls"]
    seed = (options.seed * 1000 + calls) * 100 + rank
    rows = Rows(str(options.init / "tokenizer.json"), seed, 0.15, options.harvest, options.harvest_share)
    pool = Pool(rows, max(1, options.workers // world) if options.workers else 0, options.device if not cuda else f"cuda:{int(os.environ.get('LOCAL_RANK', 0))}", options.pool_gigabytes, seed, options.seed)
    if cuda:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
    if world > 1:
        distributed.init_process_group("nccl" if cuda else "gloo")
    torch.manual_seed(seed)
    torch.set_float32_matmul_precision("high")
    packed, tokenizer = load(options.init, CLASSES)
    packed.to(options.device)
    muon, adam = make_optimisers(packed, options.weight_decay)
    progress = progress_of(options.state)
    if options.state.exists():
        progress = load_state(options.state, packed, [muon, adam])
        log("resumed", progress)
    progress["calls"] += 1
    flex = cuda and not options.no_flex
    if cuda and not options.no_compile:
        _compile(packed, flex)
    log("parameters", sum(parameter.numel() for parameter in packed.model.parameters()), "world", world, "workers", options.workers)
    reserve = options.evaluate_seconds + (20 if options.applications else 0) + 12
    _loop(options, packed, muon, adam, pool, progress, end - reserve, flex, log, world)
    if rank == 0:
        save_state(options.state, packed, [muon, adam], progress)
        options.state.with_suffix(".json").write_text(json.dumps(progress))
        log("state written", progress)
        _round(packed)
        log("exported", export(packed, options.out))
        if options.applications:
            _ask_about_applications(options, packed, tokenizer, log)
        if options.evaluate_seconds:
            _evaluate(options, packed, tokenizer, pending, end, log)
        log("finished")
    sys.stdout.flush()
    if world > 1 and rank != 0:
        time.sleep(1)
    os._exit(0)


def _loop(options: argparse.Namespace, packed: Packed, muon: Muon, adam: torch.optim.AdamW, pool: Pool, progress: dict[str, Any], until: float, flex: bool, log: Log, world: int) -> None:
    device = options.device
    pool.wait(options.prefill)
    log("first rows are there")
    step, fresh_steps, last, sums, since = 0, 0, time.time(), dict[str, Tensor](), 0
    before = float(progress["seconds"])
    started: float | None = None
    flag = torch.zeros(1, device=device)
    stop = False
    while step < options.steps:
        now = time.time()
        spent = before + (now - started if started else 0.0)
        stop = now > until or spent > options.total_seconds
        if world > 1 and step % 8 == 0:  # all processes stop at the same step
            flag.fill_(float(stop))
            distributed.all_reduce(flag)
            stop = float(flag) > 0
        if stop and (world == 1 or step % 8 == 0):
            break
        rows, texts, fresh = pool.batch(options.pictures, options.texts)
        fresh_steps += fresh
        with torch.autocast("cuda" if device == "cuda" else "cpu", dtype=torch.bfloat16, enabled=device == "cuda"):
            loss, parts = loss_of(packed, rows, texts, flex, options.auxiliary)
        loss.backward()
        if world > 1:
            _reduce(packed)
        if step == 2:
            started = time.time()
        rate = rate_at(spent / options.total_seconds, step, options.rate, held=0.4, warming=60)
        norm = update(packed, muon, adam, rate)
        if not bool(torch.isfinite(norm)):  # the same in all processes
            log(f"step {progress['steps'] + step}: the gradient is not finite; left out", {key: float(value) for key, value in parts.items()})
        step += 1
        since += 1
        for key, value in parts.items():
            sums[key] = sums.get(key, torch.zeros((), device=device)) + torch.nan_to_num(value)
        if step in (1, 2, 5) or time.time() - last >= 30:
            means = " ".join(f"{key} {float(value) / since:.4f}" for key, value in sums.items())
            memory = torch.cuda.max_memory_allocated() / 2**30 if device == "cuda" else 0
            speed = since * options.pictures * world / (time.time() - last)
            log(f"step {progress['steps'] + step} trained {spent:.0f} s {means} norm {float(norm):.2f} rate {rate:.5f} pictures/s {speed:.0f} drawn {pool.received} fresh {fresh_steps}/{step} memory {memory:.1f}")
            sums, since, last = {}, 0, time.time()
    progress["seconds"] = before + (time.time() - started if started else 0.0)
    progress["steps"] += step
    progress["pictures"] += pool.received * world


def _round(packed: Packed) -> None:
    """What is evaluated is what is exported."""
    with torch.no_grad():
        for parameter in packed.model.parameters():
            parameter.copy_(parameter.bfloat16().float())


def _evaluate(options: argparse.Namespace, packed: Packed, tokenizer: Any, pending: Any, end: float, log: Log) -> None:
    packed.eval()
    screens = pending.get(30) if pending is not None else [evaluation.held_out(number) for number in range(options.evaluate_screens)]
    small = options.device == "cpu"
    with torch.autocast("cuda" if not small else "cpu", dtype=torch.bfloat16, enabled=not small):
        result = evaluation.evaluate(packed, tokenizer, screens, min(options.evaluate_seconds, end - time.time() - 4), 4 if small else 56, 4 if small else 160)
    (options.out / "evaluation.json").write_text(json.dumps(result, ensure_ascii=False, indent=1))
    log("evaluation\n" + evaluation.lines(result))
    log({key: value for key, value in result.items() if key.endswith("_seconds")})


def _ask_about_applications(options: argparse.Namespace, packed: Packed, tokenizer: Any, log: Log) -> None:
    packed.eval()
    with torch.autocast("cuda" if options.device == "cuda" else "cpu", dtype=torch.bfloat16, enabled=options.device == "cuda"):
        figures, answers = applications.measure(packed, tokenizer, options.applications)
    (options.out / "applications.json").write_text(json.dumps(answers, ensure_ascii=False, indent=1))
    log("applications\n" + figures)


if __name__ == "__main__":
    main()
