"""An account at Azure: who is logged in, and its backend as tests open it."""

import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from json import dumps
from typing import Any

from azure.core.credentials import AccessToken

from python_stages.backends.azure import AzureBackend, Waits
from python_stages.backends.azure_deploy import AzureDeployments
from python_stages.backends.waiting import Waiting
from tests.python_stages.backends import specs
from tests.python_stages.backends.certificates import Certificate
from tests.python_stages.backends.management import Management
from tests.python_stages.backends.specs import CANARY
from tests.python_stages.backends.stand_in import KEY, Provider

MODEL = "gpt-4.1-mini-2025-04-14"
TODAY = date(2026, 11, 22)
spec_of = partial(specs.spec_of, base_model=MODEL, allow_upload=True)
QUICK = Waits(file=Waiting(5, 0.01), answer=Waiting(5, 0.01))


@dataclass
class Login:
    """A credential: gives numbered tokens that end after so many seconds, or none at all."""

    claims: dict[str, Any] | None = None
    seconds: int = 3_600
    fails: bool = False
    token: str | None = None
    n_given: int = 0

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """Give a token."""
        if self.fails:
            raise RuntimeError(f"no such tenant: {CANARY}")
        self.n_given += 1
        ends = int(time.time()) + self.seconds
        token = self.token or f"token-{self.n_given}"
        if self.claims is not None:
            token = _unsigned(self.claims | {"nbf": 0, "iat": 0, "exp": ends})
        return AccessToken(token, ends)


def _unsigned(claims: dict[str, Any]) -> str:
    """Return a token as the emulator wants it, which looks at claims and at no signature."""
    parts = ({"alg": "RS256", "typ": "JWT"}, claims)
    encoded = [urlsafe_b64encode(dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


def backend_of(api: Provider, **options: Any) -> AzureBackend:
    """Return the backend of this account, to be closed by who asks for it."""
    origin = api.url.removesuffix("/openai/v1")
    wanted: dict[str, Any] = {"api_key": KEY, "waits": QUICK, "today": TODAY} | options
    return AzureBackend(origin, timeout_seconds=5, **wanted)


@contextmanager
def opened(api: Provider, **options: Any) -> Iterator[AzureBackend]:
    backend = backend_of(api, **options)
    try:
        yield backend
    finally:
        backend.close()


def managed(arm: Management, certificate: Certificate, **changes: Any) -> AzureDeployments:
    place: dict[str, Any] = {
        "subscription_id": "00000000-0000-0000-0000-000000000001",
        "resource_group": "group",
        "account": "account",
        "credential": Login(token=arm.token),
    }
    return AzureDeployments(
        **place | changes,
        base_url=arm.url,
        poll_seconds=0.01,
        connection_verify=str(certificate.authority),
        retry_total=0,
    )
