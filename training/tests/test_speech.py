"""Speech: features, windows and the training's pass are what transformers has; texts are said as they are written; words are counted."""

import time
from random import Random

import numpy as np
import pytest
import torch
from transformers import WhisperConfig, WhisperFeatureExtractor

from speech import numbers, texts
from speech.augment import Segments, compose, disturb
from speech.average import average
from speech.choose import Set, score, search
from speech.features import SAMPLES, LogMel
from speech.network import Network
from speech.pool import Item
from speech.strangers import altered, bent, sways
from speech.train import inputs
from speech.vocabulary import CONTEXT, END, FIRST_TIME, NO_SPEECH, NO_TIMESTAMPS, PREVIOUS, SOUNDS, START, TIMESTAMPS, sounds
from speech.wer import errors, rate, words
from speech.windows import IGNORED, LONG, SHORT, Placed, Plan, Shape, batch, plan, tokens


def test_features_are_those_of_transformers() -> None:
    sound = torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, (1, SAMPLES)).astype(np.float32))
    sound[:, 90_000:] = 0
    wanted = WhisperFeatureExtractor()(sound[0].numpy(), sampling_rate=16_000, return_tensors="pt")["input_features"]
    mel = LogMel("cpu")
    assert torch.allclose(mel(sound), wanted, atol=1e-5)
    assert torch.equal(mel(sound, torch.ones(1, 3000)), mel(sound))


def test_a_warp_moves_a_tone() -> None:
    time = torch.arange(SAMPLES) / 16_000
    mel = LogMel("cpu")
    moved = mel(torch.sin(2 * torch.pi * 1000 * time)[None], torch.full((1, 3000), 1.2))
    assert moved[0, :, 1500].argmax() == mel(torch.sin(2 * torch.pi * 1200 * time)[None])[0, :, 1500].argmax()


def test_the_pass_of_training_is_that_of_transformers() -> None:
    torch.manual_seed(0)
    config = WhisperConfig(
        vocab_size=FIRST_TIME + TIMESTAMPS, d_model=64, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=96, decoder_ffn_dim=96,
        max_target_positions=CONTEXT, pad_token_id=END, bos_token_id=END, eos_token_id=END, decoder_start_token_id=START,
    )  # fmt: skip
    network = Network(config).eval()
    features, ids = torch.randn(1, 80, 3000), torch.tensor([[START, FIRST_TIME, 5, 80, 300]])
    with torch.no_grad():
        wanted = network.model(input_features=features, decoder_input_ids=ids).logits
        assert torch.allclose(network.write(ids, network.listen(features)), wanted, atol=1e-4)


def test_an_utterance_lies_in_its_window_at_its_speed() -> None:
    pool = (torch.sin(torch.arange(32_000) * 2 * torch.pi * 500 / 16_000) * 10_000).short()

    def column(value: int) -> torch.Tensor:
        return torch.tensor([value])

    made = compose(pool, Segments(column(1), column(48_000), column(15_000), column(0), column(32_000), torch.tensor([2.0]), torch.tensor([0.5])), 2, SAMPLES)
    assert not made[0].any() and not made[1, :48_000].any() and not made[1, 63_000:].any()
    spectrum = torch.fft.rfft(made[1, 48_000:63_000]).abs()
    assert int(spectrum.argmax()) == 1000 * 15_000 // 16_000
    assert torch.isclose(made[1].max(), torch.tensor(0.5 * 10_000 / 32768), rtol=0.02)


def test_a_sway_changes_the_speed_within_an_utterance_and_not_its_length() -> None:
    pool = torch.arange(20_000).short()  # what is read there is where it was read
    generator = torch.Generator().manual_seed(0)
    column = [torch.tensor([value]) for value in (0, 0, 19_000, 0, 20_000)]
    segments = Segments(*column, torch.tensor([1.0]), torch.tensor([1.0]))
    even = compose(pool, segments, 1, 20_000)
    assert torch.equal(compose(pool, segments, 1, 20_000, sways(generator, 1, 0.0)), even)
    for _ in range(20):
        sway = sways(generator, 1, 1.0)
        read = compose(pool, segments, 1, 20_000, sway)[0, :19_000] * 32768
        assert (read.diff() > 0.7).all() and (read.diff() < 1.3).all()
        assert (read - even[0, :19_000] * 32768).abs().max() > 19_000 * sway[0, 1].abs() / (2 * torch.pi * sway[0, 0]) * 0.95
        assert abs(read[0]) < 1 and abs(read[-1] - 18_999) < 1


def test_a_stranger_has_the_same_sounds_at_about_the_same_places() -> None:
    generator = torch.Generator().manual_seed(0)
    power = torch.full((40, 201, 50), 1e-6)
    power[:, 100, 10:40] = 1.0
    assert torch.equal(altered(power, 0.0, generator), power)
    made = altered(power, 1.0, generator)
    assert made.isfinite().all() and (made >= 0).all() and not torch.isclose(made, power).all((1, 2)).any()
    assert ((made[:, :, 10:40].mean(2).argmax(1) - 100).abs() <= 9).all()  # 7 %, and two bins of smoothing
    assert (made[:, :, :8].amax((1, 2)) < 1e-4).all()  # what is quiet stays so


def test_resonances_are_bent_and_never_folded() -> None:
    generator = torch.Generator().manual_seed(0)
    height = torch.arange(201.0)[None, :, None].expand(200, 201, 1).contiguous()  # what is there is where it came from
    found = bent(height, torch.ones(200, dtype=torch.bool), generator)[:, :, 0]
    assert (found.diff(dim=1)[:, 1:] > 0.1).all()
    share = (found / height[:, :, 0])[:, 10:185]
    assert share.min() > 0.925 and share.max() < 1.075 and (share.amax(1) - share.amin(1)).median() > 0.04
    assert torch.equal(bent(height, torch.zeros(200, dtype=torch.bool), generator)[:, :200], height[:, :200])


def test_a_long_files_last_window_is_followed_by_zeros_at_times() -> None:
    class Silent:
        samples, filled = torch.zeros(500_000, dtype=torch.int16), 0

    made = batch(Random(1), _items(12), {f"voice{index}": [item for item in _items(12) if item.voice == f"voice{index}"] for index in range(3)}, 60, SHORT)
    features = inputs(Silent(), made, LogMel("cpu"), 0.0, 0.0, torch.Generator().manual_seed(0))  # type: ignore[arg-type]
    early = [row for row in range(60) if made.ends[row] < SHORT.samples - 1600]
    zeros = [row for row in early if not features[row, :, -(-int(made.ends[row]) // 160) :].any()]
    assert 2 <= len(zeros) <= 0.3 * len(early)


def test_nothing_is_heard_after_the_file_ends() -> None:
    generator = torch.Generator().manual_seed(0)
    sound = torch.randn(4, SAMPLES, generator=generator) * 0.05
    made = disturb(sound, torch.tensor([True, True, False, True]), torch.tensor([16_000, 80_000, 40_000, SAMPLES]), (sound[0] * 32768).short(), 400_000, 1.0, generator)
    assert made.isfinite().all() and made.abs().max() <= 1
    assert not made[0, 16_000:].any() and made[1, :80_000].any() and not made[2, 40_000:].any()


def _items(count: int) -> list[Item]:
    return [Item(index * 40_000, 30_000 + 500 * index, [10 + index, 20, 30], [2, 3], f"voice{index % 3}") for index in range(count)]


def test_tokens_with_and_without_times() -> None:
    item = _items(1)[0]
    placed = [Placed(item, 16_100, 30_000, 1.0, 1.0, 1.0)]
    read, say = tokens(Random(3), Plan(placed, SAMPLES, False, None, [7, 8]))
    assert (read, say) == ([PREVIOUS, 7, 8, START, NO_TIMESTAMPS, 10, 20, 30], [IGNORED] * 4 + [10, 20, 30, END])
    cut = Placed(item, 470_000, 30_000, 1.0, 1.0, 1.0)
    _, say = tokens(Random(3), Plan(placed, SAMPLES, True, cut, []))
    assert say == [FIRST_TIME + 50, 10, 20, 30, FIRST_TIME + 145, FIRST_TIME + 1465, END]
    assert tokens(Random(3), Plan([], SAMPLES, True, None, [])) == ([START, FIRST_TIME], [NO_SPEECH, END])


@pytest.mark.parametrize("shape", [LONG, SHORT])
def test_windows_hold_whole_utterances_that_do_not_overlap(shape: Shape) -> None:
    items, rng = _items(60), Random(1)
    by_voice = {f"voice{index}": items[index::3] for index in range(3)}
    for _ in range(300):
        window = plan(rng, items, by_voice, shape)
        at = 0
        for part in window.placed:
            assert part.start >= at and part.start + part.count <= window.end <= shape.samples
            at = part.start + part.count
        read, say = tokens(rng, window)
        assert len(read) == len(say) <= shape.context
    made = batch(rng, items, by_voice, 8, shape)
    assert int((made.segments.at + made.segments.count).max()) <= shape.samples
    assert made.spoken.shape[1] >= int(made.spoken_lengths.max())


def test_a_short_window_is_a_part_of_a_long_one() -> None:
    item = _items(1)[0]
    _, say = tokens(Random(3), Plan([Placed(item, 16_100, 30_000, 1.0, 1.0, 1.0)], SHORT.samples, True, None, []), 32_000)
    assert say == [FIRST_TIME + 150, 10, 20, 30, FIRST_TIME + 245, END]
    items, rng, found = _items(40), Random(2), set[int]()
    for _ in range(60):
        made = batch(rng, items, {f"voice{index}": items for index in range(3)}, 1, SHORT)
        found.add(made.position)
        assert made.position % 5 == 0 and made.position * 320 + SHORT.samples <= SAMPLES
    assert 0 in found and max(found) > 1000


def test_what_is_heard_is_written_sign_by_sign() -> None:
    assert "".join(SOUNDS[sign] for sign in sounds("Press ^F forty two, at ^P ^D ^F. It's café")) == "press F forty two at P D F it's cafe"


def test_the_sound_is_as_loud_as_the_positions() -> None:
    torch.manual_seed(0)
    config = WhisperConfig(vocab_size=FIRST_TIME + TIMESTAMPS, d_model=192, encoder_layers=1, decoder_layers=1, encoder_attention_heads=3, decoder_attention_heads=3, encoder_ffn_dim=96, decoder_ffn_dim=96, pad_token_id=END, bos_token_id=END, eos_token_id=END, decoder_start_token_id=START)  # fmt: skip
    encoder = Network(config).model.model.encoder
    time = torch.arange(SAMPLES) / 16_000
    swept = LogMel("cpu")(torch.sin(2 * torch.pi * (300 + 200 * time) * time)[None] * 0.1)
    with torch.no_grad():
        states = torch.nn.functional.gelu(encoder.conv2(torch.nn.functional.gelu(encoder.conv1(swept))))
    assert states.std(2).mean() > 0.25 * encoder.embed_positions.weight.std()


def test_numbers_are_said_as_people_do() -> None:
    assert [numbers.cardinal(number) for number in (0, 13, 40, 42, 305, 12_017)] == ["zero", "thirteen", "forty", "forty two", "three hundred five", "twelve thousand seventeen"]
    assert [numbers.ordinal(number) for number in (1, 12, 20, 31)] == ["first", "twelfth", "twentieth", "thirty first"]
    assert [numbers.year(number) for number in (1984, 1900, 2005, 2024, 1907)] == ["nineteen eighty four", "nineteen hundred", "two thousand five", "twenty twenty four", "nineteen oh seven"]
    assert numbers.spelled("Ada") == ("A-D-A", "^A, ^D, ^A")


def test_words_come_from_as_far_as_they_may(monkeypatch: pytest.MonkeyPatch) -> None:
    pack = {"frequent": ["falcon", "usual"], "words": ["falcon", "candle"], "rare": ["falcon", "dragon"], "names": ["Falcon", "Zebra"], "sentences": ["You win.", "He left."]}
    monkeypatch.setattr(texts, "_pack", lambda: pack)
    assert texts.is_held_out("falcon") and not any(map(texts.is_held_out, ("usual", "candle", "dragon", "zebra")))

    def drawn(reach: texts.Reach) -> set[str]:
        rng = Random(4)
        found = {word for _ in range(400) for word in words(texts.draw(rng, reach, "command").written)}
        return found & {"falcon", "usual", "candle", "dragon", "zebra"}

    assert drawn("use") == {"usual", "candle", "dragon", "zebra"}
    assert drawn("any") == {"candle", "dragon", "zebra"}
    assert drawn("unheard") == {"falcon"}
    rng = Random(5)
    assert all(not texts.is_usual(text.written) for text in (texts.examined(rng) for _ in range(300)) if text.kind == "unheard")
    assert not any("falcon" in words(texts.taught(rng).written) for _ in range(300))


def test_word_errors() -> None:
    assert words("Set Total to 1,200.50, two of 3:45 PM!") == ["set", "total", "to", "1200.50", "2", "of", "3:45", "pm"]
    assert words("A-D-A, don't ada@example.com") == ["a", "d", "a", "don't", "ada", "@", "example", "com"]
    assert errors("a b c d".split(), "a x c d e".split()) == 2
    assert errors([], ["a"]) == 1 and errors(["a"], []) == 1
    share, low, high = rate([(0, 9), (1, 11)] * 50)
    assert share == 0.05 and low < 0.05 < high


def test_the_best_mean_is_found_by_growing_the_best_ones() -> None:
    asked: list[Set] = []

    def evaluate(sets: list[Set]) -> dict[Set, dict[str, float]]:
        asked.extend(sets)
        return {chosen: {"clean": 0.1 - 0.01 * len({1, 3} & set(chosen)) + 0.02 * len({0, 2} & set(chosen)), "noise": 0.12} for chosen in sets}

    rates = search(4, evaluate, time.time() + 60)
    assert min(rates, key=lambda chosen: score(rates[chosen])) == (1, 3)
    assert len(asked) == len(set(asked)) and (0, 1, 2, 3) in asked and score({"clean": 0.05, "noise": 0.12}) == 1
    assert set(search(4, evaluate, time.time() - 1)) == {(0,), (1,), (2,), (3,), (0, 1, 2, 3)}


def test_an_average_has_equal_shares_of_all() -> None:
    first, second, third = ({"a": torch.tensor([value, 2 * value]).bfloat16()} for value in (0.0, 1.0, 5.0))
    assert average([first, second])["a"].tolist() == [0.5, 1.0]
    assert average([first, second, third])["a"].tolist() == [2.0, 4.0]
    assert average([first, second])["a"].dtype == torch.bfloat16
    with pytest.raises(ValueError, match="same names and shapes"):
        average([first, {"b": second["a"]}])
