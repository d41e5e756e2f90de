"""OpenAI's own service: its hosts by region, its rules, files above 512 MiB in parts.

The service is closing: what its rules say about last days is checked before anything is sent, and
the model's own entry is asked for the day it shuts down.
"""

from datetime import UTC, date, datetime
from typing import Final

from python_stages.backends.addresses import host_of, is_loopback, normalised_url
from python_stages.backends.asking import NotFoundError, asked
from python_stages.backends.base import Content, JobSpec, RemoteFile
from python_stages.backends.compatible import CompatibleBackend
from python_stages.backends.parts import upload_in_parts
from python_stages.backends.preflight import ALTERNATIVES, Finding, Place
from python_stages.backends.rules import load_pack
from python_stages.errors import ConfigError

GLOBAL_URL: Final = "https://api.openai.com/v1"

_MODEL_PAGE: Final = "https://developers.openai.com/api/reference/resources/models/methods/retrieve"
# Half of what a part may be: the client holds a second copy while it sends.
_PART_BYTES: Final = 32 * 1024 * 1024


class OpenAIBackend(CompatibleBackend):
    """OpenAI's fine-tuning service.

    Args:
        api_key: a key of a project; with `data_residency`, of a project in that region.
        base_url: another host of OpenAI's, or a stand-in on this machine; None for the region's.
        data_residency: region that the data may not leave (us, eu, …), or None.
        expires_after_seconds: lifetime of uploads, one hour to 30 days, or None.
        single_upload_bytes: files above this go up in parts; None for what the rules say.
        part_bytes: size of a part; None for half of what the rules allow.
        timeout_seconds: longest wait for a single read or write on the connection.
        today: the day to hold shutdown dates against; None for today, UTC.

    Raises:
        ConfigError: OpenAI has no such region or host.
        BackendError: there is no key.
    """

    def __init__(
        self,
        *,
        api_key: str | None,
        base_url: str | None = None,
        data_residency: str | None = None,
        expires_after_seconds: int | None = None,
        single_upload_bytes: int | None = None,
        part_bytes: int | None = None,
        timeout_seconds: float = 120.0,
        today: date | None = None,
    ) -> None:
        pack = load_pack("openai")
        if data_residency is not None and data_residency not in pack.regions:
            known = ", ".join(pack.regions)
            raise ConfigError(f"data_residency: OpenAI has no such region; it has {known}")
        regional = pack.regions.get(data_residency or "", ())
        url = base_url or (f"https://{regional[0]}/v1" if regional else GLOBAL_URL)
        host = host_of(normalised_url(url))
        if not (host.endswith(".openai.com") or is_loopback(url)):
            raise ConfigError("base_url is no host of OpenAI's: use backend compatible for it")
        super().__init__(
            url,
            api_key=api_key,
            expires_after_seconds=expires_after_seconds,
            timeout_seconds=timeout_seconds,
            name="openai",
            pack=pack,
            data_residency=data_residency,
        )
        self._regions = (data_residency,) if data_residency and host in regional else ()
        self._today = today
        self._single_upload_bytes = single_upload_bytes or pack.number("single_upload_bytes") or 0
        self._part_bytes = part_bytes or min(_PART_BYTES, pack.number("part_bytes") or _PART_BYTES)

    def upload(self, name: str, content: Content) -> RemoteFile:
        """Stream one file to OpenAI, in parts where it is large."""
        if content.n_bytes <= self._single_upload_bytes:
            return super().upload(name, content)
        return upload_in_parts(self._files, name, content, part_bytes=self._part_bytes)

    def _place(self) -> Place:
        return Place(
            backend="openai",
            is_this_machine=is_loopback(self.identity.base_url),
            wanted_region=self._data_residency,
            regions=self._regions,
            today=self._today,
        )

    def _check_account(self, spec: JobSpec) -> tuple[Finding, ...]:
        return (*super()._check_account(spec), self._check_model(spec))

    def _check_model(self, spec: JobSpec) -> Finding:
        """Ask for the base model, and for the day on which it shuts down."""
        today = self._today or datetime.now(UTC).date()
        try:
            model = asked(
                "looking up the base model",
                lambda: self._patient.models.retrieve(spec.base_model),
            )
        except NotFoundError:
            found, is_there = "no such model for this key", False
        else:
            last = _day(getattr(model, "shutdown_date", None))
            is_there = last is None or today < last
            found = "no end announced" if last is None else f"shuts down on {last}"
        return Finding(
            "model_offered",
            "offered to this key",
            found,
            is_there,
            f"Choose a base model that is. {ALTERNATIVES}",
            _MODEL_PAGE,
            today,
        )


def _day(value: object) -> date | None:
    """Return a day as the API spells it (YYYY-MM-DD), or None."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
