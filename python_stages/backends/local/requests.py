"""What clients ask, as the OpenAI API has it, less what this server does not do.

A parameter that is not here is refused rather than ignored, so that nobody believes it took effect.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

FILE_ID_PATTERN: Final = r"^file-[A-Za-z0-9]{24}$"
JOB_ID_PATTERN: Final = r"^ftjob-[A-Za-z0-9]{24}$"
MAX_SEED: Final = 2**31 - 1
MAX_TOKENS: Final = 4096
MAX_CHOICES: Final = 128
MAX_ALTERNATIVES: Final = 1_024

MetadataName = Annotated[str, StringConstraints(min_length=1, max_length=64)]
MetadataValue = Annotated[str, StringConstraints(max_length=512)]
Metadata = Annotated[dict[MetadataName, MetadataValue], Field(max_length=16)]
Suffix = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
FileId = Annotated[str, StringConstraints(pattern=FILE_ID_PATTERN)]
ModelId = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class _Strict(BaseModel):
    """A part of a request: nothing unknown, no text for a number."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Hyperparameters(_Strict):
    """How the model learns; "auto" is the trainer's own choice."""

    n_epochs: Literal["auto"] | Annotated[int, Field(ge=1, le=200)] | None = None
    batch_size: Literal["auto"] | Annotated[int, Field(ge=1, le=65_536)] | None = None
    learning_rate_multiplier: Literal["auto"] | Annotated[float, Field(gt=0, le=1_000)] | None = (
        None
    )


class Supervised(_Strict):
    """Settings of supervised fine-tuning."""

    hyperparameters: Hyperparameters | None = None


class Method(_Strict):
    """The method; only the supervised one is offered."""

    type: Literal["supervised"]
    supervised: Supervised | None = None


class Privacy(_Strict):
    """Ask for differential privacy (an extension of this server).

    Args:
        epsilon: the budget that may be spent.
        delta: the probability that the guarantee does not cover; None chooses by the rows.
        clip_norm: largest norm of one example's gradient.
        max_rows_per_person: most rows of one person, where the trainer can tell; else None.
    """

    epsilon: Annotated[float, Field(gt=0, le=1_000)]
    delta: Annotated[float, Field(gt=0, lt=1)] | None = None
    clip_norm: Annotated[float, Field(gt=0, le=1_000)] | None = None
    max_rows_per_person: Annotated[int, Field(ge=1)] | None = None


class CreateJob(_Strict):
    """A fine-tuning job to create; `hyperparameters` is the deprecated place for them."""

    model: ModelId
    training_file: FileId
    validation_file: FileId | None = None
    method: Method | None = None
    hyperparameters: Hyperparameters | None = None
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] | None = None
    suffix: Suffix | None = None
    metadata: Metadata | None = None
    integrations: Annotated[list[Any], Field(max_length=0)] | None = None
    privacy: Privacy | None = None


class TextPart(_Strict):
    """A part of a message's content; only text is understood."""

    type: Literal["text"]
    text: str


class Message(_Strict):
    """One message of a conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | Annotated[list[TextPart], Field(min_length=1)]
    name: str | None = None
    refusal: None = None

    def text(self) -> str:
        """Return the content as one text."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content)


class StreamOptions(_Strict):
    """What a stream holds besides the text."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


Stop = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class CreateCompletion(_Strict):
    """A chat completion to create.

    `echo` is an extension of this server: generate nothing, and return the last message, which must
    be the assistant's, with the log-probability of each of its tokens. `alternatives` are other
    answers in its place; of each the log-probability as a whole is returned.
    """

    model: ModelId
    messages: Annotated[list[Message], Field(min_length=1, max_length=1_024)]
    max_tokens: Annotated[int, Field(ge=1, le=MAX_TOKENS)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1, le=MAX_TOKENS)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    n: Annotated[int, Field(ge=1, le=MAX_CHOICES)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    stop: Stop | Annotated[list[Stop], Field(max_length=4)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    echo: bool | None = None
    alternatives: Annotated[list[str], Field(max_length=MAX_ALTERNATIVES)] | None = None
    user: str | None = None
    # Accepted where they ask for nothing.
    top_p: Annotated[float, Field(ge=1, le=1)] | None = None
    frequency_penalty: Annotated[float, Field(ge=0, le=0)] | None = None
    presence_penalty: Annotated[float, Field(ge=0, le=0)] | None = None
    response_format: "TextFormat | None" = None
    store: Literal[False] | None = None


class TextFormat(_Strict):
    """The only format of an answer: text."""

    type: Literal["text"]
