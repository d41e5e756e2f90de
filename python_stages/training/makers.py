"""What a base needs to be trained; only its own library is imported, which takes seconds."""

from functools import partial

from python_stages.training.bases import Base
from python_stages.training.chat_format import encode_conversations
from python_stages.training.dataset import Encoder
from python_stages.training.engine import Engine
from python_stages.training.plan import Plan


def encoder(base: Base) -> Encoder:
    """Return what makes tokens of conversations, as the base reads them."""
    if base.folder is None:
        return partial(encode_conversations, context=base.shape.context)
    from python_stages.training.adapters.chat import Chat  # noqa: PLC0415 - an extra, and seconds

    return Chat.of(base).encode_conversations


def engine(base: Base, plan: Plan, seed: int) -> Engine:
    """Return what trains the base."""
    if base.folder is None:
        from python_stages.training.pretrained import first_params  # noqa: PLC0415 - as above
        from python_stages.training.steps import JaxEngine  # noqa: PLC0415 - as above

        return JaxEngine(first_params(base, seed), plan)
    from python_stages.training.adapters.engine import TorchEngine  # noqa: PLC0415 - as above

    return TorchEngine(base, plan, seed)
