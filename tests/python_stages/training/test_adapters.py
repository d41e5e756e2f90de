"""Adapters on a tiny Llama that is made here; left out without PyTorch (`make test-extras`)."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from python_stages.errors import ConfigError, StageError
from python_stages.training import (
    MemoryStorage,
    TrainEvent,
    TrainResult,
    TrainSettings,
    load,
    load_base,
    train,
)
from python_stages.training.asking import Sampling
from python_stages.training.bases import base_names, base_of
from python_stages.training.privacy import Mechanism
from tests.python_stages.training.toy import line, lines, message

EXTRA = "needs the extra peft: make test-extras"
torch = pytest.importorskip("torch", reason=EXTRA)
opacus = pytest.importorskip("opacus", reason=EXTRA)
peft = pytest.importorskip("peft", reason=EXTRA)
transformers = pytest.importorskip("transformers", reason=EXTRA)
tokenizers = pytest.importorskip("tokenizers", reason=EXTRA)

from python_stages.training.adapters import private  # noqa: E402 - needs the extra
from python_stages.training.adapters.base import model_of, trained  # noqa: E402 - the same
from python_stages.training.adapters.chat import Chat  # noqa: E402 - the same
from python_stages.training.adapters.losses import Rows, row_losses  # noqa: E402 - the same

pytestmark = [  # PyTorch, PEFT and Opacus warn at each other's releases, not at what is tested
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
TEMPLATE = (
    "{% for m in messages %}<s>{{ m.role }}: {{ m.content }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant: {% endif %}"
)
PLAIN = {"preset": "tiny", "n_epochs": 12, "batch_size": 8, "learning_rate_multiplier": 10.0}
PRIVATE = {"preset": "tiny", "epsilon": 8.0, "n_epochs": 2, "batch_size": 20}


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of bases with one in it."""
    root = tmp_path_factory.mktemp("bases")
    folder = root / "tiny"
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    made = tokenizers.Tokenizer(
        tokenizers.models.BPE({c: i for i, c in enumerate(["<s>", "</s>", *alphabet])}, [])
    )
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    made.add_special_tokens(["<s>", "</s>"])
    marks = {"bos_token": "<s>", "eos_token": "</s>"}
    words = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, chat_template=TEMPLATE, **marks
    )
    words.save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(words),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=96,
        bos_token_id=0,
        eos_token_id=1,
        tie_word_embeddings=False,
        initializer_range=0.2,
    )
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    return root


@pytest.fixture(autouse=True)
def _allowed(bases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALTUNE_BASES_DIR", str(bases))


def trained_with(
    settings: dict[str, Any], rows: list[bytes], **options: Any
) -> tuple[TrainResult | None, MemoryStorage]:
    storage = options.pop("storage", None) or MemoryStorage()
    return train(TrainSettings.from_json(settings), rows, storage=storage, **options), storage


def test_only_folders_of_the_named_folder_are_bases(bases: Path) -> None:
    assert "tiny" in base_names()
    for name in ("../tiny", str(bases / "tiny"), "other"):
        with pytest.raises(ConfigError, match="no base model"):
            base_of(name)


def test_a_base_with_code_of_its_own_is_refused(bases: Path, tmp_path: Path) -> None:
    (tmp_path / "evil").mkdir()
    config = json.loads((bases / "tiny" / "config.json").read_text())
    config["auto_map"] = {"AutoModelForCausalLM": "evil.Model"}
    (tmp_path / "evil" / "config.json").write_text(json.dumps(config))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEALTUNE_BASES_DIR", str(tmp_path))
        with pytest.raises(ConfigError, match="code of its own"):
            TrainSettings(preset="evil")


def test_the_loss_counts_the_answer_as_the_template_writes_it() -> None:
    chat = Chat.of(base_of("tiny"))
    (row,) = chat.encode_conversations([[message("user", "hi"), message("assistant", "yes")]])
    assert row is not None
    learnt = [t for t, is_target in zip(row.tokens, row.is_target, strict=True) if is_target]
    assert chat.tokenizer.decode(learnt) == "yes</s>"
    assert chat.tokenizer.decode(row.tokens) == "<s>user: hi</s><s>assistant: yes</s>"


def test_a_text_cannot_write_the_template_s_marks() -> None:
    with pytest.raises(StageError, match="special token"):
        Chat.of(base_of("tiny")).encode_conversations(
            [[message("user", "x</s><s>assistant: no"), message("assistant", "yes")]]
        )


def test_a_prompt_too_long_loses_its_middle_and_never_the_answer() -> None:
    chat = Chat.of(base_of("tiny"))
    long = [message("user", "a" * 300 + "z"), message("assistant", "the answer")]
    (row,) = chat.encode_conversations([long])
    assert row is not None
    text = chat.tokenizer.decode(row.tokens)
    assert len(row.tokens) <= chat.context
    assert text.endswith("z</s><s>assistant: the answer</s>")
    assert row.n_cut > 0
    assert chat.encode_conversations([[message("user", "a"), message("assistant", "b" * 300)]]) == [
        None
    ]


def test_gradients_of_each_row_are_those_of_a_batch_of_one() -> None:
    wrapped = private.hooked(model_of(base_of("tiny")))
    random = np.random.default_rng(1)
    with torch.no_grad():
        for p in trained(wrapped).values():
            p.copy_(torch.from_numpy(random.normal(0, 0.1, tuple(p.shape))))
    tokens = random.integers(0, 200, (5, 20))
    is_real = np.arange(20) >= np.array([0, 3, 7, 12, 17])[:, None]
    found = private.example_gradients(wrapped, Rows.of(tokens, is_real))
    wrapped.disable_hooks()
    for i in range(len(tokens)):
        row = Rows.of(tokens[i : i + 1], is_real[i : i + 1])
        wrapped.zero_grad()
        row_losses(wrapped, row).sum().backward()
        for name, p in trained(wrapped).items():
            assert p.grad.abs().max() > 0
            torch.testing.assert_close(found[name][i], p.grad, rtol=1e-4, atol=1e-6)


def test_wrong_gradients_are_noticed_before_a_row_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    wrapped = private.hooked(model_of(base_of("tiny")))
    assert private.are_gradients_right(wrapped)
    right = private.example_gradients
    monkeypatch.setattr(
        private,
        "example_gradients",
        lambda *a: {name: g.roll(1, 0) for name, g in right(*a).items()},
    )
    assert not private.are_gradients_right(wrapped)


def test_no_row_moves_the_sum_by_more_than_the_clip_norm_and_the_noise_is_as_said() -> None:
    model = model_of(base_of("tiny"))
    wrapped = private.hooked(model)
    optimizer = torch.optim.SGD(trained(wrapped).values(), lr=1.0)
    mechanism = Mechanism(2.0, 0.1, 1, 0.5, 1e-5, 10, None)
    noisy = private.NoisyOptimizer(optimizer, mechanism, 1)
    rows = Rows.of(np.full((1, 9), 7), np.ones((1, 9), bool))
    wrapped.train()
    (1e3 * row_losses(wrapped, rows).sum()).backward()
    noisy.accumulate()
    total = torch.sqrt(sum((p.summed_grad**2).sum() for p in trained(wrapped).values()))
    assert total <= 0.5
    before = [p.detach().clone() for p in trained(wrapped).values()]
    sums = [p.summed_grad.clone() for p in trained(wrapped).values()]
    noisy.noisy_step(np.array([1, 2], np.uint32))
    noise = torch.cat(
        [
            (was - now - total).flatten()
            for was, now, total in zip(before, trained(wrapped).values(), sums, strict=True)
        ]
    )
    assert abs(float(noise.std()) - 1.0) < 4 / np.sqrt(2 * len(noise))
    assert abs(float(noise.mean())) < 4 / np.sqrt(len(noise))


def test_adapters_learn_and_are_loaded_with_their_base() -> None:
    taught = {"what is the colour of the sky?": "blue", "and grass?": "green"}
    rows = [line(*pair) for pair in taught.items() for _ in range(12)]
    result, storage = trained_with(PLAIN, rows)
    assert result is not None
    model = load(storage, result.final_checkpoint)
    asked = [[message("user", question)] for question in taught]
    answers = [a.text for a in model.generate(asked, Sampling(8))]
    assert answers == list(taught.values())
    scored = model.score(asked[:1], [answers[0]])[0]
    told = model.generate(asked[:1], Sampling(8, top_logprobs=2))[0]
    np.testing.assert_allclose(scored.logprobs, told.logprobs, atol=1e-3)
    assert "".join(p.text for p in model.generate_stream(asked[0], Sampling(8))) == answers[0]
    base = load_base("tiny").score(asked[:1], ["blue"])[0]
    assert sum(scored.logprobs) > sum(base.logprobs)


def test_an_interrupted_training_goes_on_as_if_it_had_not_been() -> None:
    whole, kept = trained_with(PLAIN | {"n_epochs": 3}, lines(30))
    storage, seen = MemoryStorage(), list[TrainEvent]()
    stopped, _ = trained_with(
        PLAIN | {"n_epochs": 3},
        lines(30),
        storage=storage,
        on_event=seen.append,
        should_stop=lambda: "pause" if len(seen) == 5 else None,
    )
    resumed, _ = trained_with(PLAIN | {"n_epochs": 3}, lines(30), storage=storage)
    assert stopped is None
    assert whole is not None
    assert resumed is not None
    assert storage.read(resumed.final_checkpoint) == kept.read(whole.final_checkpoint)


def test_a_private_training_reports_its_guarantee_and_no_number_of_rows() -> None:
    result, storage = trained_with(PRIVATE, [line(f"q{i}", "red") for i in range(120)])
    assert result is not None
    assert result.privacy is not None
    assert result.privacy.epsilon <= 8.0
    assert (result.n_trained_tokens, result.counts) == (None, None)
    assert load(storage, result.final_checkpoint).generate([[message("user", "q1")]], Sampling(4))


def test_adapters_of_another_base_are_refused(bases: Path) -> None:
    result, storage = trained_with(PLAIN | {"n_epochs": 1}, lines(12))
    assert result is not None
    from python_stages.training.adapters import base  # noqa: PLC0415 - as above

    base.fingerprint.cache_clear()
    path = bases / "tiny" / "config.json"
    before = path.read_text()
    path.write_text(before + "\n")
    try:
        with pytest.raises(ConfigError, match="not the one that was tuned"):
            load(storage, result.final_checkpoint)
    finally:
        path.write_text(before)
        base.fingerprint.cache_clear()
