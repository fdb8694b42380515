"""Train the embedded speech model; continue from the state that an earlier call left on disk.

    python -m speech.train --out $OUT --state /tmp/deskhand/speech.pt --seconds 560 --total-seconds 1200
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import sys
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path
from random import Random
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import WhisperConfig

from model.optimiser import Muon, update
from model.schedule import STARTED, Log, rate_at

from . import evaluate as evaluation
from . import network as module
from .augment import chance, compose, disturb, frames_of, hide
from .features import HOP, LogMel
from .network import Network
from .pool import Pool
from .strangers import altered, sways
from .vocabulary import build
from .windows import IGNORED, LONG, SHORT, Batch, batch

FOLDER = Path(__file__).resolve().parents[2] / "models/hear"
_ZEROS = 0.1
"""Share of the windows whose features are 0 after the file's end: transformers' long form has that in the last window of a sound, and silence there in a short one."""


def arguments() -> argparse.Namespace:
    """Command line; times are seconds of the wall clock."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="model folder with tokenizer and settings; made when it is not there")
    parser.add_argument("--init", type=Path, help="exported folder to start from when there is no state; without one from random weights")
    parser.add_argument("--state", type=Path, required=True, help="file with weights and optimiser; read when it exists, written at the end")
    parser.add_argument("--out", type=Path, required=True, help="folder for the exported weights, log and evaluation")
    parser.add_argument("--seconds", type=float, default=560, help="this call ends by then, evaluation and export included")
    parser.add_argument("--total-seconds", type=float, default=1200, help="of training in all calls: the schedule's end")
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--weight-decay", type=float, default=0.03)
    parser.add_argument("--windows", type=int, default=64, help="of 30 s in a step with long ones")
    parser.add_argument("--short-windows", type=int, default=256, help="of 6 s in a step with short ones")
    parser.add_argument("--short-share", type=float, default=0.6, help="of the time with short windows alone; afterwards every other step has long ones")
    parser.add_argument("--workers", type=int, default=12, help="synthesising processes")
    parser.add_argument("--pool-hours", type=float, default=150, help="of speech at most; an hour takes 115 MB of the device and of the disk")
    parser.add_argument("--prefill-minutes", type=float, default=25, help="speech to wait for before the first step")
    parser.add_argument("--auxiliary", type=float, default=0.3, help="weight of the CTC loss; 1 while all windows are short")
    parser.add_argument("--dropout", type=float, default=0.1, help="of what each layer adds")
    parser.add_argument("--disturbed", type=float, default=0.8, help="share of the windows that are, when the training begins from --init")
    parser.add_argument("--strange", type=float, default=0.7, help="share of the windows whose voice is made another one")
    parser.add_argument("--evaluate", type=int, default=240, help="sentences of the held-out voice")
    parser.add_argument("--evaluate-seconds", type=float, default=22)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=10**9, help="at most this many in this call")
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args()


class Batches:
    """Plans of windows, made by a thread a few steps ahead: short ones, then long ones in turn with them."""

    def __init__(self, pool: Pool, seed: int, short: int, long: int) -> None:
        self.pool, self.rng, self.short, self.long = pool, Random(seed), short, long
        self.all_short = True
        self.queue: queue.Queue[Batch | BaseException] = queue.Queue(3)
        self.stopped = threading.Event()
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        count = 0
        try:
            while not self.stopped.is_set():
                count += 1
                shape, size = (SHORT, self.short) if self.all_short or count % 2 else (LONG, self.long)
                made = batch(self.rng, self.pool.items, self.pool.by_voice, size, shape)
                while not self.stopped.is_set():
                    try:
                        self.queue.put(made, timeout=1)
                        break
                    except queue.Full:
                        continue
        except BaseException as error:  # the loop raises it
            self.queue.put(error)

    def next(self) -> Batch:
        found = self.queue.get(timeout=60)
        if isinstance(found, BaseException):
            raise found
        return found


def disturbed_at(share: float) -> float:
    """Which share of windows is disturbed when the training begins from nothing: none until the sounds are told apart, from a third of the time on all."""
    return min(1.0, max(0.0, (share - 0.08) / 0.25))


def inputs(pool: Pool, made: Batch, mel: LogMel, disturbed: float, strange: float, generator: torch.Generator) -> Tensor:
    """Features of a batch, `disturbed` of its windows so and `strange` of them in another voice; outside of autocast."""
    size, samples = made.ids.shape[0], made.shape.samples
    sound = compose(pool.samples, made.segments, size, samples, sways(generator, len(made.segments.window), strange))
    sound = disturb(sound, made.speech, made.ends, pool.samples, pool.filled, disturbed, generator)
    features = mel(sound, frames_of(made.segments, made.warps, size, samples // HOP), lambda power: altered(power, strange, generator))
    features = hide(features, disturbed * 0.6, generator)
    after = torch.arange(samples // HOP, device=sound.device) * HOP >= made.ends[:, None]
    return features.masked_fill((after & chance(generator, size, _ZEROS)[:, None])[:, None], 0.0)


def loss_of(network: Network, features: Tensor, made: Batch, weight: float, half: bool) -> tuple[Tensor, dict[str, Tensor]]:
    """Next tokens, and what CTC makes of the encoder alone."""
    with torch.autocast(features.device.type, dtype=torch.bfloat16, enabled=half):
        heard = network.listen(features, made.position)
        logits = network.write(made.ids, heard)
        spoken = network.spoken(heard)
    written = F.cross_entropy(logits.flatten(0, 1).float(), made.labels.flatten(), ignore_index=IGNORED, label_smoothing=0.05)
    lengths = torch.full((features.shape[0],), spoken.shape[1], device=features.device)
    ctc = F.ctc_loss(spoken.transpose(0, 1), made.spoken, lengths, made.spoken_lengths, reduction="sum", zero_infinity=True) / made.spoken_lengths.sum().clamp(min=1)
    return written + weight * ctc, {"text": written.detach(), "ctc": ctc.detach()}


def make_optimisers(network: Network, weight_decay: float) -> tuple[Muon, torch.optim.AdamW]:
    """Muon for the matrices of layers and convolutions; embeddings, positions, the auxiliary output, norms and biases go to AdamW."""
    matrices, rest = [], []
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            (matrices if parameter.dim() == 3 or parameter.dim() == 2 and ".layers." in name else rest).append(parameter)
    return Muon(matrices, weight_decay), torch.optim.AdamW(rest, lr=1e-3, betas=(0.9, 0.98), weight_decay=0.0, fused=rest[0].is_cuda)


def export(network: Network, folder: Path, out: Path) -> int:
    """The whole model folder in bfloat16; returns bytes of weights."""
    weights = {name: tensor.detach().bfloat16().cpu().contiguous() for name, tensor in network.model.state_dict().items() if name != "proj_out.weight"}
    return module.save(weights, folder, out).stat().st_size


def main() -> None:
    """One call."""
    options = arguments()
    end = STARTED + options.seconds
    last_resort = threading.Timer(options.seconds + 8, os._exit, (3,))  # nothing that hangs holds the machine
    last_resort.daemon = True
    last_resort.start()
    options.out.mkdir(parents=True, exist_ok=True)
    options.state.parent.mkdir(parents=True, exist_ok=True)
    log = Log(options.out / "log.txt", "speech")
    log("options", json.dumps({key: str(value) for key, value in vars(options).items()}))
    beside = options.state.with_suffix(".json")
    progress: dict[str, Any] = json.loads(beside.read_text()) if beside.exists() else {"seconds": 0.0, "steps": 0, "calls": 0, "hours": {}}
    seed = options.seed * 1000 + progress["calls"]
    if not (options.folder / "tokenizer.json").exists():
        build(options.folder)
    tokenizer = Tokenizer.from_file(str(options.folder / "tokenizer.json"))
    keep = options.state.with_suffix(".pool") if options.total_seconds > options.seconds or options.state.exists() else None  # for a later call, when there will be one
    if keep:
        keep.touch()
    pool = Pool(tokenizer, options.device, int(options.pool_hours * 3600 * 16_000), options.workers, seed, keep)
    held_out = evaluation.HeldOut(options.evaluate) if options.evaluate else None
    torch.manual_seed(seed)
    torch.set_float32_matmul_precision("high")
    torch.set_num_threads(2)
    sys.setswitchinterval(5e-4)  # the thread that plans windows must not hold back the one that feeds the device
    network = Network(WhisperConfig(**{**json.loads((options.folder / "config.json").read_text()), "dropout": options.dropout})).train()
    if options.init:
        missing, unknown = network.model.load_state_dict(load_file(options.init / "model.safetensors"), strict=False)
        assert missing == ["proj_out.weight"] and not unknown, (missing, unknown)
    network.model.float().to(options.device)
    network.auxiliary.to(options.device)
    muon, adam = make_optimisers(network, options.weight_decay)
    if options.state.exists():
        state = torch.load(options.state, map_location="cpu", weights_only=True)
        network.load_state_dict(state["network"])
        muon.load_state_dict(state["muon"])
        adam.load_state_dict(state["adam"])
        log("resumed", progress)
    progress["calls"] += 1
    if options.device == "cuda" and not options.no_compile:
        torch._dynamo.config.recompile_limit = 64
        encoder, decoder = torch.compile(module.encoder_block, dynamic=False), torch.compile(module.decoder_block, dynamic=False)
        network.encoder_block = lambda *rest: (encoder if torch.is_grad_enabled() else module.encoder_block)(*rest)
        network.decoder_block = lambda *rest: (decoder if torch.is_grad_enabled() else module.decoder_block)(*rest)
    log("parameters", sum(parameter.numel() for parameter in network.model.parameters()))
    mel = LogMel(options.device)
    reserve = (options.evaluate_seconds if options.evaluate else 0) + 6
    try:
        _loop(options, network, muon, adam, pool, mel, progress, seed, end - reserve, log)
    finally:
        pool.close()
    partial = options.state.with_suffix(".part")
    torch.save({"network": network.state_dict(), "muon": muon.state_dict(), "adam": adam.state_dict()}, partial)
    partial.rename(options.state)
    beside.write_text(json.dumps(progress))
    log("state written", progress)
    with torch.no_grad():  # what is evaluated is what is exported
        for parameter in network.model.parameters():
            parameter.copy_(parameter.bfloat16().float())
    log("exported", export(network, options.folder, options.out / "hear"), "bytes")
    if held_out:
        network.eval()
        result = evaluation.evaluate(network, tokenizer, held_out.wait(), mel, options.device, min(options.evaluate_seconds, end - time.time() - 2), 128 if options.device == "cuda" else 4)
        (options.out / "evaluation.json").write_text(json.dumps(result, ensure_ascii=False, indent=1))
        log("evaluation\n" + evaluation.lines(result))
    log("finished")
    sys.stdout.flush()
    os._exit(0)


def _loop(options: argparse.Namespace, network: Network, muon: Muon, adam: torch.optim.AdamW, pool: Pool, mel: LogMel, progress: dict[str, Any], seed: int, until: float, log: Log) -> None:
    while pool.filled < options.prefill_minutes * 60 * 16_000 and time.time() < until:
        pool.take()
        if pool.processes and all(process.poll() is not None for process in pool.processes):
            raise RuntimeError("no synthesising process runs any more")
        time.sleep(0.2)
    log("speech to begin with:", f"{pool.filled / 16_000 / 60:.0f} minutes, {len(pool.items)} utterances")
    batches = Batches(pool, seed, options.short_windows, options.windows)
    generator = torch.Generator(options.device).manual_seed(seed)
    cuda = options.device == "cuda"
    before, started = float(progress["seconds"]), None
    step, last, waited = 0, time.time(), 0.0
    sums, counts = defaultdict[str, Tensor](lambda: torch.zeros((), device=options.device)), Counter[str]()
    while step < options.steps:
        now = time.time()
        spent = before + (now - started if started else 0.0)
        if now > until or spent > options.total_seconds:
            break
        share = spent / options.total_seconds
        disturbed = options.disturbed if options.init else disturbed_at(share)
        batches.all_short = share < options.short_share
        pool.take()
        asked = time.time()
        made = batches.next().to(options.device)
        waited += time.time() - asked
        with torch.no_grad():
            features = inputs(pool, made, mel, disturbed, options.strange, generator)
        loss, parts = loss_of(network, features, made, 1.0 if batches.all_short else options.auxiliary, cuda)
        loss.backward()
        if step == 2:
            started = time.time()
        rate = rate_at(share, progress["steps"] + step if step > 100 else step, options.rate, held=0.45, warming=100)
        norm = update(network, muon, adam, rate)
        step += 1
        length = "short" if made.shape is SHORT else "long"
        counts[length] += 1
        for key, value in parts.items():
            sums[f"{length} {key}"] += value
        if step in (1, 2, 10) or time.time() - last >= 20:
            means = " ".join(f"{key} {float(value) / counts[key.split()[0]]:.4f}" for key, value in sums.items())
            memory = torch.cuda.max_memory_allocated() / 2**30 if cuda else 0
            speed = (counts["short"] * options.short_windows + counts["long"] * options.windows) / (time.time() - last)
            log(f"step {progress['steps'] + step} trained {spent:.0f} s {means} norm {float(norm):.2f} rate {rate:.5f} disturbed {disturbed:.2f} windows/s {speed:.0f} waited {waited:.1f} s, speech {pool.filled / 16_000 / 3600:.2f} h, {len(pool.items)} utterances, memory {memory:.1f}")
            sums.clear()
            counts.clear()
            last, waited = time.time(), 0.0
    batches.stopped.set()
    progress["seconds"] = before + (time.time() - started if started else 0.0)
    progress["steps"] += step
    progress["hours"] = {voice: round(seconds / 3600, 2) for voice, seconds in sorted(pool.seconds.items())}


if __name__ == "__main__":
    main()
