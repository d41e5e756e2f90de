"""The files in `rules/`: what providers demand, as data that ships with the package."""

from importlib import resources
from typing import Any

import yaml

from python_stages.errors import ConfigError


def read_yaml(name: str) -> dict[str, Any]:
    """Return the content of a file in `rules/`.

    Raises:
        ConfigError: there is no such file, or it holds no mapping.
    """
    try:
        text = resources.files(__package__).joinpath("rules", name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"the rules {name} are missing: install the package again") from None
    content = yaml.safe_load(text)
    if not isinstance(content, dict):
        raise ConfigError(f"the rules {name} are no mapping: install the package again")
    return content
