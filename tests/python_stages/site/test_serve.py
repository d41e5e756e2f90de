"""The served site: on loopback, for this host alone, reloading when it was written anew."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from python_stages.errors import ConfigError
from python_stages.site import serve
from python_stages.site.pages import policy, style

PAGE = f'<meta content="{policy(style())}"><body>one</body>'


@contextmanager
def served(folder: Path) -> Iterator[int]:
    made = serve.server(folder, 0)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    try:
        yield made.server_address[1]
    finally:
        made.shutdown()
        made.server_close()


def get(port: int, path: str, host: str | None = None) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"Host": host or f"127.0.0.1:{port}"})
    return connection.getresponse()


def test_a_page_gets_one_script_that_its_policy_allows(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(PAGE)
    with served(tmp_path) as port:
        html = get(port, "/").read().decode()
    assert html.count("<script>") == 1
    assert "script-src 'sha256-" in html
    assert "connect-src 'self'" in html
    assert (tmp_path / "index.html").read_text() == PAGE


def test_a_page_with_a_policy_of_its_own_stays_as_it_is() -> None:
    assert serve.with_reload("<html><body>dbt</body></html>") == "<html><body>dbt</body></html>"


def test_another_host_name_gets_nothing(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(PAGE)
    with served(tmp_path) as port:
        assert get(port, "/", host="attacker.example").status == 421


def test_nothing_above_the_folder_is_given_out(tmp_path: Path) -> None:
    (tmp_path / "secret.html").write_text("secret")
    (tmp_path / "site").mkdir()
    with served(tmp_path / "site") as port:
        assert get(port, "/../secret.html").status == 404


def test_the_word_that_it_changed_comes_when_the_site_is_another(tmp_path: Path) -> None:
    index = tmp_path / "index.html"
    index.write_text(PAGE)
    with served(tmp_path) as port:
        stream = get(port, "/changes")
        before = stream.readline()
        assert before == f"data: {index.stat().st_mtime_ns}\n".encode()
        fresh = tmp_path / "fresh.html"
        fresh.write_text("two")
        fresh.replace(index)
        after = next(line for line in stream if line.startswith(b"data") and line != before)
        assert after == f"data: {index.stat().st_mtime_ns}\n".encode()


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with served(tmp_path) as port, pytest.raises(ConfigError, match=f"port {port} is taken"):
        serve.server(tmp_path, port)
