"""How one dataset is put into words: the `render` settings, read and checked once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from python_stages.errors import ConfigError
from python_stages.names import nearest, refuse_unknown
from python_stages.noise import ColumnNoise, noisy_columns
from python_stages.render.wording import Kind, Placeholder, Template, check_locale, clean

Need = tuple[str, Kind]  # a column, and what it must hold

DESCRIPTION: Final = Placeholder("description", "")

_RENDERED: Final = frozenset({"row_id", "label", "system_text", "user_text", "assistant_text"})
_KNOWN: Final = (
    "label_column",
    "currency_column",
    "locale_column",
    "default_locale",
    "locales",
    "blank_values",
    "min_templates",
    "system",
    "instructions",
    "templates",
    "answers",
    "carry",
    "noise",
)


@dataclass(frozen=True, slots=True)
class RenderSpec:
    """How one dataset is put into words.

    Args:
        label_column: the column that tells classes apart; where there are no `answers`, the
            assistant answers with it, exactly as it is.
        templates: wordings of a row.
        instructions: wordings of the question; each holds `{description}`, the filled template.
        answers: wordings of the answer; empty where it is the label.
        system: the system message, or None for conversations without one.
        carry: columns that come out as they are, for the scrub stage to look at.
        currency_column: ISO 4217 code of the row's amounts; None where no format needs it.
        locale_column: the column that `locales` maps to a locale; None: `default_locale` for all.
        locales: value of the locale column -> CLDR locale.
        default_locale: locale of rows that `locales` does not name.
        blank_values: column -> values that mean "not known".
        noise: columns that get differentially private noise before they are worded.
    """

    label_column: str
    templates: tuple[Template, ...]
    instructions: tuple[Template, ...]
    answers: tuple[Template, ...]
    system: Template | None
    carry: tuple[str, ...]
    currency_column: str | None
    locale_column: str | None
    locales: Mapping[str, str]
    default_locale: str
    blank_values: Mapping[str, frozenset[str]]
    noise: tuple[ColumnNoise, ...] = ()

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "RenderSpec":
        """Read and check the `render` settings of a dataset.

        Raises:
            ConfigError: a setting is unknown, missing, of the wrong type, or contradicts another.
        """
        refuse_unknown("render", config, _KNOWN)
        system = _text(config, "system")
        spec = cls(
            label_column=_required_text(config, "label_column"),
            templates=_templates(config, "templates", at_least=config.get("min_templates", 1)),
            instructions=_templates(config, "instructions", at_least=1),
            answers=_templates(config, "answers", at_least=1) if config.get("answers") else (),
            system=None if system is None else Template.parse(system),
            carry=tuple(_text_list(config.get("carry") or [], "carry")),
            currency_column=_text(config, "currency_column"),
            locale_column=_text(config, "locale_column"),
            locales=_locales(config),
            default_locale=_text(config, "default_locale") or "en",
            blank_values=_blank_values(config),
            noise=noisy_columns(config.get("noise")),
        )
        _check_consistent(spec)
        return spec

    @property
    def columns(self) -> frozenset[str]:
        """Return every column of the input that rendering reads."""
        named = {self.label_column, self.locale_column, self.currency_column} - {None}
        used = {place.column for template in self.wordings for place in template.placeholders}
        names = {name for name in named if name is not None}
        return frozenset({"row_id", *used, *names, *self.carry})

    @property
    def wordings(self) -> tuple[Template, ...]:
        """Return every template that a row fills."""
        return (*self.templates, *self.answers, *((self.system,) if self.system else ()))

    def needs(self, template: Template) -> frozenset[Need]:
        """Return the (column, kind) pairs that a row must hold for the template to be eligible."""
        places = template.placeholders
        needs = {(place.column, place.kind) for place in places}
        if self.currency_column and any(place.needs_currency for place in places):
            needs.add((self.currency_column, Kind.TEXT))
        return frozenset(needs)


def _check_consistent(spec: RenderSpec) -> None:
    """Raise ConfigError where one setting contradicts another."""
    places = {place for template in spec.wordings for place in template.placeholders}
    shown = {place.column for template in spec.templates for place in template.placeholders}
    columns = {place.column for place in places}
    if not all(template.placeholders for template in spec.templates):
        raise ConfigError("a template has no placeholder: it would say nothing about its row")
    if any(template.placeholders != {DESCRIPTION} for template in spec.instructions):
        raise ConfigError("an instruction must hold {description} and no other placeholder")
    if spec.label_column in shown and not spec.answers:
        raise ConfigError("a template shows the label column: the question would hold its answer")
    if spec.currency_column is None and any(place.needs_currency for place in places):
        raise ConfigError("a template writes money: name the currency_column")
    if spec.locales and spec.locale_column is None:
        raise ConfigError("locales are given without a locale_column: name the column that decides")
    stray = sorted(set(spec.blank_values) - columns)
    if stray:
        raise ConfigError(
            f"blank_values names {', '.join(stray)}, which no template shows: "
            f"the columns shown are {', '.join(sorted(columns))}",
        )
    if all({p.column for p in t.placeholders} & set(spec.blank_values) for t in spec.templates):
        raise ConfigError("every template shows a column of blank_values: add one that does not")
    _check_noise(spec)
    if len(set(spec.carry)) != len(spec.carry) or not _RENDERED.isdisjoint(spec.carry):
        raise ConfigError("carry names a column twice, or one that this stage makes: rename it")
    for identifier in (*spec.locales.values(), spec.default_locale):
        check_locale(identifier)


def _check_noise(spec: RenderSpec) -> None:
    """Raise ConfigError where noise is asked on what decides, or on what nobody sees."""
    decides = {spec.label_column, spec.currency_column, spec.locale_column, "row_id"}
    shown = {name for name in spec.columns if name not in decides}
    for name in (noise.column for noise in spec.noise):
        if name in decides:
            raise ConfigError(f"noise: {name} decides how a row is worded or what answers it")
        if name not in shown:
            meant = nearest(name, shown)
            hint = f"did you mean {meant}?" if meant else f"they show {', '.join(sorted(shown))}"
            raise ConfigError(f"noise: no template shows {name}; {hint}")


def _text(config: Mapping[str, Any], name: str) -> str | None:
    """Return an optional text setting; blank text is none."""
    value = config.get(name)
    if value is not None and not isinstance(value, str):
        raise ConfigError(f"{name} must be text")
    return value or None


def _required_text(config: Mapping[str, Any], name: str) -> str:
    value = _text(config, name)
    if value is None:
        raise ConfigError(f"{name} is missing from the render settings")
    return value


def _text_list(value: object, name: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f"{name} must be a list of texts")
    return value


def _map(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = config.get(name) or {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ConfigError(f"{name} must map texts")
    return value


def _locales(config: Mapping[str, Any]) -> Mapping[str, str]:
    locales = _map(config, "locales")
    if not all(isinstance(locale, str) for locale in locales.values()):
        raise ConfigError("locales must map texts to locales: quote NO and ON in yaml")
    return {clean(place): locale for place, locale in locales.items()}


def _blank_values(config: Mapping[str, Any]) -> Mapping[str, frozenset[str]]:
    return {
        column: frozenset(clean(text) for text in _text_list(texts, f"blank_values.{column}"))
        for column, texts in _map(config, "blank_values").items()
    }


def _templates(config: Mapping[str, Any], name: str, at_least: object) -> tuple[Template, ...]:
    texts = _text_list(config.get(name), name)
    if not isinstance(at_least, int) or at_least < 1:
        raise ConfigError("min_templates must be a whole number of at least 1")
    if len(set(texts)) < max(at_least, len(texts)):
        raise ConfigError(
            f"{name} holds {len(texts)} wordings, {len(set(texts))} of them different: "
            f"write each once, and at least {at_least}",
        )
    return tuple(Template.parse(text) for text in texts)
