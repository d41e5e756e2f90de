"""`sealtune scan`, `scrub` and `pii-eval`: personal data in files, out of files, and how well."""

import io
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Final

import typer

from python_stages import keys, settings
from python_stages.cli.as_json import AsJson, print_json
from python_stages.errors import ConfigError, SourceError, value_free

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from python_stages.scrub.policy import Policy

_PRESET: Final = "gdpr"
_WIDTH: Final = 120  # characters, where the output is no terminal

FileArgument = Annotated[
    str, typer.Argument(metavar="FILE", help="The file, or - for stdin.", show_default=False)
]
FormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        help="auto (by the ending), text (whole), lines (each by itself, for live pipes), "
        "csv, jsonl, json, parquet.",
    ),
]
HeaderOption = Annotated[
    bool, typer.Option("--header/--no-header", help="Whether a CSV begins with a header.")
]
NerOption = Annotated[
    str | None,
    typer.Option(help="Another language model: a spaCy name or path. (default: the shipped one)"),
]
EntitiesOption = Annotated[
    list[str] | None,
    typer.Option(help="Entities or groups to look for; may be repeated, or a,b,c."),
]
ScoreOption = Annotated[
    float, typer.Option(help="Findings that are less sure are left out.", min=0, max=1)
]


def scan(
    file: FileArgument,
    *,
    entities: EntitiesOption = None,
    form: FormatOption = "auto",
    header: HeaderOption = True,
    ner: NerOption = None,
    min_score: ScoreOption = 0.4,
    show: Annotated[
        bool, typer.Option("--show", help="Show the commonest values too: they are personal data.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Count the personal data in a file, by column and entity, without printing any.

    Reads text, CSV, JSON, JSON lines and Parquet.
    All entities are looked for, unless some are named.
    A column of JSON is a path such as messages.content.

    Exit codes: 0 read, whatever was found; 1 refused or failed; 2 usage.

    Example: sealtune scan customers.csv
    """
    from python_stages.scrub import files
    from python_stages.scrub.engine import Engine

    reader = files.open_format(_path(file), form, has_header=header)
    with value_free("scan"), _source(file) as source:
        result = files.scan(source, reader, Engine(_names(entities) or ["all"], ner=ner), min_score)
    for column, kind in result.unread.items():
        typer.echo(f"not looked into: {column} ({kind}); cast it to text first", err=True)
    if as_json:
        print_json(result.as_json(show=show))
    else:
        _print([result.table(show=show)])


def scrub(
    file: FileArgument,
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="New file to write. (default: stdout)"),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            help="YAML file: column -> settings, as in the scrub settings of a dataset.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="Instead of a policy: identifiers, gdpr, hipaa_safe_harbor. (default: gdpr)"
        ),
    ] = None,
    operator: Annotated[
        str | None,
        typer.Option(
            help="With a preset: what becomes of each finding, such as mask, placeholder, "
            "pseudonym, surrogate. (default: as the preset says)"
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="With a preset: scrub this column only, keep the rest; may be repeated."),
    ] = None,
    form: FormatOption = "auto",
    header: HeaderOption = True,
    ner: NerOption = None,
    dataset: Annotated[
        str,
        typer.Option(help="Pseudonyms of equal values are equal under one name of a dataset."),
    ] = "files",
) -> None:
    """Write a file again without the personal data in it, in the format it came in.

    Works on text, CSV, JSON, JSON lines and Parquet, a part at a time.
    A text file is one column, text; one of JSON is a path: messages.content.
    An existing file is never replaced; a new one is there once it is whole.
    On stdout, what came before a failure is out already.
    A large file is scrubbed on all cores; a pipe on one, row by row.
    Pseudonyms and surrogates need your keys: sealtune keys init.
    With surrogates all is read before anything is written, since none may be
    a value of the file; a pipe is held in memory for that.

    Exit codes: 0 done; 1 refused or failed; 2 usage.

    Example: sealtune scrub - --format lines --preset identifiers < app.log
    """
    from python_stages.scrub import files, pool
    from python_stages.scrub.engine import Engine

    def reader() -> files.Format:
        return files.open_format(_path(file), form, has_header=header)

    if policy and (preset or operator or column or ner):
        raise typer.BadParameter("--policy leaves nothing to --preset, --operator, --column, --ner")
    policy_for = (
        _policy_of_file(policy, dataset)
        if policy
        else _policy_of_preset(preset or _PRESET, operator, column or (), ner, dataset)
    )
    sample = policy_for(tuple(column or ("text",)))
    key = None
    if sample.needs_key:
        ring = keys.load(settings.keys_folder())
        key = ring.hmac_key(f"{dataset}.pseudonym")
    engine = Engine(sample.entities, ner=sample.ner)
    # a pipe may be live, and its rows shall come out as they come in
    where = pool.Inline() if file == "-" or form == "lines" else pool.executor()
    wanted = files.Wanted(policy_for, engine, key, column or (), where)
    with value_free("scrub"), _source(file) as opened, _sink(out) as sink:
        source, real = opened, None
        if sample.has_surrogates:
            source = opened if opened.seekable() else io.BytesIO(opened.read())
            real = files.collect(source, reader(), wanted)
            source.seek(0)
        totals = files.scrub_file(source, sink, reader(), wanted, real)
    typer.echo(
        f"replaced {totals.n_masked:,} in {totals.n_rows:,} rows or parts"
        + (f", {totals.n_unreadable:,} of them unreadable" if totals.n_unreadable else ""),
        err=True,
    )


def pii_eval(
    dataset: Annotated[
        Path,
        typer.Argument(help="A labelled file, or a folder of them.", exists=True),
    ],
    *,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="auto; conll (a token and its tag per line); presidio (presidio-research JSON); "
            "jsonl (text and spans per line).",
        ),
    ] = "auto",
    as_json: AsJson = False,
    ner: NerOption = None,
    entities: EntitiesOption = None,
    mapped: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="LABEL=ENTITY",
            help="What a label of the set is in our entities, or LABEL=ignore; may be repeated.",
        ),
    ] = None,
    min_score: ScoreOption = 0.4,
    errors: Annotated[
        int, typer.Option(help="List this many of the commonest kinds of errors.", min=0)
    ] = 0,
    show: Annotated[
        bool, typer.Option("--show", help="With --errors: show examples, which are personal data.")
    ] = False,
    stock: Annotated[
        bool,
        typer.Option("--stock", help="Score Presidio out of the box instead, to compare with."),
    ] = False,
) -> None:
    """Score what is found against a labelled set.

    Span F2 is that of presidio-research's SpanEvaluator: whatever the entity,
    a span is found where 0.9 or 0.7 of the union of characters is shared.
    Recall of an entity is the share of its spans of which nothing is left.
    Looked for is what the set labels, and its kin: an ACCOUNT may be a
    US_BANK_NUMBER to us. A find of what the set never labels counts only where
    it touches a label, and is set aside elsewhere.

    Exit codes: 0 scored; 1 refused or failed; 2 usage.

    Example: sealtune pii-eval synth_dataset_v2.json --errors 20
    """
    from python_stages.scrub import evaluate

    with value_free("evaluation"):
        report = evaluate.evaluate(
            evaluate.read(dataset, form),
            entities=_names(entities),
            ner=ner,
            mapped=_mapping(mapped or ()),
            min_score=min_score,
            is_stock=stock,
        )
    if as_json:
        print_json(report.as_json())
    else:
        _print(report.tables())
    if errors:
        _print([report.errors(errors, show=show)], err=as_json)


def _names(options: Iterable[str] | None) -> list[str]:
    return [name for option in options or () for name in option.split(",") if name]


def _mapping(options: Iterable[str]) -> dict[str, str]:
    pairs = [option.partition("=") for option in options]
    if not all(name and entity for name, _, entity in pairs):
        raise ConfigError("--map takes LABEL=ENTITY, or LABEL=ignore")
    return {name: entity for name, _, entity in pairs}


def _path(file: str) -> Path | None:
    return None if file == "-" else Path(file)


@contextmanager
def _source(file: str) -> Iterator[BinaryIO]:
    path = _path(file)
    if path is None:
        yield sys.stdin.buffer
        return
    try:
        opened = path.open("rb")
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}") from None
    with opened:
        yield opened


@contextmanager
def _sink(out: Path | None) -> Iterator[BinaryIO]:
    from python_stages.scrub import files

    if out is not None and str(out) != "-":
        with files.new_file(out) as file:
            yield file
    else:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()


def _policy_of_file(path: Path, dataset: str) -> "Callable[[Sequence[str]], Policy]":
    """Return the policy of a YAML file, for whatever columns."""
    import yaml

    from python_stages.scrub.policy import Policy

    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        raise ConfigError(f"{path} is not yaml: it must map columns to settings") from None
    if not isinstance(config, Mapping):
        raise ConfigError(f"{path} must map columns to settings")
    policy = Policy.from_config(config, dataset=dataset)
    return lambda _columns: policy


def _policy_of_preset(
    preset: str,
    operator: str | None,
    only: Sequence[str],
    ner: str | None,
    dataset: str,
) -> "Callable[[Sequence[str]], Policy]":
    """Return a maker of policies: the preset for every column, or for `only` some."""
    from python_stages.scrub.policy import Policy

    setting: dict[str, Any] = {"preset": preset} | ({"operator": operator} if operator else {})
    config = {"text": setting, "other": {"operator": "keep"}}
    rules = Policy.from_config(config).rules

    @cache
    def policy(columns: tuple[str, ...]) -> Policy:
        chosen = {
            column: rules["text" if not only or column in only else "other"]
            for column in {*columns, *only}
        }
        return Policy(chosen, ner, dataset)

    return lambda columns: policy(tuple(columns))


def _print(parts: "Iterable[RenderableType]", *, err: bool = False) -> None:
    console = _console(err=err)
    for number, part in enumerate(parts):
        if number:
            console.print()
        console.print(part)


def _console(*, err: bool) -> "Console":
    from rich.console import Console

    console = Console(stderr=err, highlight=False, soft_wrap=False)
    return console if console.is_terminal else Console(stderr=err, highlight=False, width=_WIDTH)
