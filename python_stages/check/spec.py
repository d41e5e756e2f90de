"""What a dataset's config says about its check: labels, budgets and bounds."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from python_stages.errors import ConfigError
from python_stages.names import refuse_unknown
from python_stages.noise import count_epsilon


@dataclass(frozen=True, slots=True)
class CheckSpec:
    """Thresholds of one dataset's check.

    Args:
        labels: every label that an example may have; each must occur in the training split. Empty
            (in the config: `any`) where the data decides: then every label that there is must.
        pii_entities: names of the kinds of personal data that must not be found; empty only where
            the texts are synthetic.
        max_tokens_per_example: token budget; services cut longer examples at the end, which is
            where the answer stands.
        min_train_examples: services refuse fewer than 10.
        min_validation_examples: fewest rows of the validation split.
        max_split_bytes: size limit of one uploaded file, in bytes (512 MB).
        min_class_share: least share of the rarest class in the training split, 0 to 1.
        max_class_share: greatest share of the commonest class in the training split, 0 to 1.
        max_reject_share: greatest share of source rows that may have been rejected, 0 to 1.
        min_planted_recall: entity or group -> least share of planted values that the scrub stage
            must have masked, 0 to 1, where it is not the default (scrub/planted.py).
        answers: `label` where the assistant answers with the label, `text` where it says more.
        synthetic: what made the texts up, where nobody is in them; None for texts about people.
            Personal data may be found in synthetic ones, but no value of a real source.
        private_counts: epsilon of the counts of classes that the report shows, with noise; None
            for exact ones. In the config: `{epsilon: …}`.

    Raises:
        ConfigError: a bound is missing, of the wrong type, or contradicts another.
    """

    labels: tuple[str, ...]
    pii_entities: tuple[str, ...]
    max_tokens_per_example: int
    min_train_examples: int = 10
    min_validation_examples: int = 1
    max_split_bytes: int = 512_000_000
    min_class_share: float = 0.01
    max_class_share: float = 0.9
    max_reject_share: float = 0.01
    min_planted_recall: Mapping[str, float] = field(default_factory=dict)
    answers: str = "label"
    synthetic: str | None = None
    private_counts: float | None = None

    def __post_init__(self) -> None:
        if self.labels:
            _require_names("labels", self.labels)
        if self.synthetic is None or self.pii_entities:
            _require_names("pii_entities", self.pii_entities)
        if self.answers not in _ANSWERS:
            raise ConfigError(f"check: answers must be one of {', '.join(_ANSWERS)}")
        if not (self.synthetic is None or (isinstance(self.synthetic, str) and self.synthetic)):
            raise ConfigError("check: synthetic must name what made the texts up")
        for name, least in _LEAST_COUNTS.items():
            _require_count(name, getattr(self, name), least)
        for name in ("min_class_share", "max_class_share", "max_reject_share"):
            _require_share(name, getattr(self, name))
        if not isinstance(self.min_planted_recall, Mapping):
            raise ConfigError("check: min_planted_recall must map entities or groups to shares")
        for share in self.min_planted_recall.values():
            _require_share("min_planted_recall", share)
        if self.min_class_share > self.max_class_share:
            raise ConfigError("check: min_class_share is above max_class_share; swap or widen them")

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Read the `check` section of a dataset's model config.

        Raises:
            ConfigError: a setting is unknown, missing or wrong; the message names the setting.
        """
        fields = dataclasses.fields(cls)
        refuse_unknown("check", config, [one.name for one in fields])
        required = {
            one.name
            for one in fields
            if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
        }
        if missing := sorted(required - set(config)):
            raise ConfigError(f"check: setting {', '.join(missing)} is missing; add it")
        settings = dict(config)
        if settings["labels"] == _ANY:
            settings["labels"] = ()
        elif not settings["labels"]:
            raise ConfigError(f"check: labels is empty; list them, or say {_ANY}")
        for name in ("labels", "pii_entities"):
            if isinstance(settings[name], list):
                settings[name] = tuple(settings[name])
        if settings.get("min_planted_recall", {}) is None:  # in YAML, a key with nothing behind it
            del settings["min_planted_recall"]
        settings["private_counts"] = count_epsilon(settings.get("private_counts"))
        if settings["private_counts"] is not None and not settings["labels"]:
            raise ConfigError(f"check: private_counts needs labels by name: {_ANY} are of the data")
        return cls(**settings)

    def parameters(self) -> dict[str, Any]:
        """Return what the suites call `$PARAMETER`: numbers and entity names, never a label."""
        numbers = dataclasses.asdict(self)
        for name in ("labels", "min_planted_recall", "answers", "synthetic", "private_counts"):
            del numbers[name]
        return numbers | {
            "n_labels": len(self.labels),
            "pii_entities": list(self.pii_entities),
            # of synthetic texts nothing is scrubbed, so nothing is planted
            "min_recall_rows": int(self.synthetic is None),
        }


_ANY: Final = "any"
_ANSWERS: Final = ("label", "text")


# min_validation_examples may be 0: a dataset without a validation split is a decision, not a slip.
_LEAST_COUNTS = {
    "max_tokens_per_example": 1,
    "min_train_examples": 1,
    "min_validation_examples": 0,
    "max_split_bytes": 1,
}


def _require_names(name: str, names: Sequence[object]) -> None:
    if not isinstance(names, tuple) or not names:
        raise ConfigError(f"check: {name} must be a list of at least one name")
    if not all(isinstance(item, str) and item.strip() for item in names):
        raise ConfigError(f"check: {name} must hold non-empty strings only; quote them in the YAML")
    if len(set(names)) != len(names):
        raise ConfigError(f"check: {name} holds a name twice; remove one")


def _require_count(name: str, value: object, least: int) -> None:
    # bool is an int in Python, and a YAML `true` here is a slip
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ConfigError(f"check: {name} must be a whole number of at least {least}")


def _require_share(name: str, value: object) -> None:
    # every comparison with NaN is false, so it is refused too
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise ConfigError(f"check: {name} must be a number from 0 to 1")
