"""One server for the tests of a file; those that kill one start their own."""

from collections.abc import Iterator

import openai
import pytest

from tests.python_stages.local.serving import Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("local")) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[openai.OpenAI]:
    with server.client() as opened:
        yield opened
