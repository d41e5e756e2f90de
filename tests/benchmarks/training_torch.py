"""The same private steps with torch and Opacus, to be timed beside ours; no environment has them.

The model is transformers' Llama of the same sizes, the rows are the same tokens, each padded to the
longest of its part of 64, and the optimizer is Opacus's, with hooks for per-example gradients. A
few steps are timed and the mean is taken times the number of steps.
"""

import time
from functools import partial
from typing import Final

import numpy as np

from python_stages.training import PRESETS, PrivacyReport, dataset
from python_stages.training.chat_format import encode_conversations

_N_STEPS: Final = 5
_PART: Final = 64


def seconds_of(lines: list[bytes], report: PrivacyReport, preset: str = "nano") -> float:
    """Return how long all steps of a private training take with torch, by the clock.

    Args:
        lines: the training rows.
        report: says how many rows a step has, and how many steps there are.
        preset: sizes of the model.
    """
    import torch  # noqa: PLC0415 - an extra
    from opacus import GradSampleModule  # noqa: PLC0415 - the same
    from opacus.optimizers import DPOptimizer  # noqa: PLC0415 - the same
    from transformers import LlamaConfig, LlamaForCausalLM  # noqa: PLC0415 - the same

    shape = PRESETS[preset]
    rows, _ = dataset.read(
        lines, partial(encode_conversations, context=shape.context), deduplicate=True
    )
    config = LlamaConfig(
        vocab_size=shape.n_tokens,
        hidden_size=shape.d_model,
        intermediate_size=shape.d_ff,
        num_hidden_layers=shape.n_layers,
        num_attention_heads=shape.n_heads,
        max_position_embeddings=shape.context,
        tie_word_embeddings=False,
        attn_implementation="eager",
    )
    model = GradSampleModule(LlamaForCausalLM(config).train(), loss_reduction="sum")
    optimizer = DPOptimizer(
        torch.optim.Adam(model.parameters(), lr=1e-3),
        noise_multiplier=report.noise_multiplier,
        max_grad_norm=report.clip_norm,
        expected_batch_size=round(report.sampling_probability * rows.n_rows),
    )
    random = np.random.default_rng(0)

    def step() -> None:
        chosen = np.flatnonzero(random.random(rows.n_rows) < report.sampling_probability)
        chosen = chosen[np.argsort(np.diff(rows.starts)[chosen])]
        for start in range(0, len(chosen), _PART):
            part = chosen[start : start + _PART]
            width = max(rows.layouts[rows.layout_of[i]].width for i in part)
            window = max(rows.layouts[rows.layout_of[i]].window for i in part)
            batch = rows.batch(part, dataset.Layout(width, window), len(part))
            real = torch.from_numpy(batch.is_real).long()
            found = model(
                input_ids=torch.from_numpy(batch.tokens).long(),
                attention_mask=real,
                position_ids=(real.cumsum(1) - 1).clamp(min=0),
                use_cache=False,
            ).logits[:, -window:]
            is_target = torch.from_numpy(batch.is_target)
            targets = torch.from_numpy(batch.targets).long()
            each = torch.nn.functional.cross_entropy(
                found.transpose(1, 2), targets, reduction="none"
            )
            losses = (each * is_target).sum(1) / is_target.sum(1).clamp(min=1)
            losses.sum().backward()
            optimizer.signal_skip_step(do_skip=start + _PART < len(chosen))
            optimizer.step()
            optimizer.zero_grad()

    step()  # allocates
    start = time.monotonic()
    for _ in range(_N_STEPS):
        step()
    return round((time.monotonic() - start) / _N_STEPS * report.n_steps, 1)
