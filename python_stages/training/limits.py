"""What may be asked of a model, whichever it is."""

from typing import Final

from python_stages.errors import ConfigError

MAX_TOP_LOGPROBS: Final = 20
MAX_TEMPERATURE: Final = 2.0


def check_request(max_tokens: int, temperature: float, top_logprobs: int, n: int) -> None:
    """Refuse what is out of range.

    Raises:
        ConfigError: a setting is.
    """
    if max_tokens < 1 or n < 1:
        raise ConfigError("max_tokens and n must be at least 1")
    if not 0 <= temperature <= MAX_TEMPERATURE:
        raise ConfigError(f"temperature must be from 0 to {MAX_TEMPERATURE:g}")
    if not 0 <= top_logprobs <= MAX_TOP_LOGPROBS:
        raise ConfigError(f"top_logprobs must be from 0 to {MAX_TOP_LOGPROBS}")
