"""The served site: on loopback, for this host alone, reloading when it was written anew."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

import pytest

from python_stages.errors import ConfigError
from python_stages.running import Snapshot, Stage
from python_stages.site import serve
from python_stages.site.pages import policy, style

META = '<meta http-equiv="Content-Security-Policy" content='
MAIN = '<body><main id="main" tabindex="-1">one</main></body>'
PAGE = f'{META}"{escape(policy(style()))}">{MAIN}'  # as the templates write it
PLAIN = f'{META}"{policy(style())}">{MAIN}'
NOW = Snapshot(61.0, 3, 9, ("not_null_a",), (Stage("a_scrubbed", 9.0, "rows", 4096, 9000, 512.0),))


@contextmanager
def served(folder: Path, live: serve.Live | None = None) -> Iterator[int]:
    made = serve.server(folder, 0, live)
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


@pytest.mark.parametrize("page", [PAGE, PLAIN])
def test_a_page_gets_one_script_that_its_policy_allows(tmp_path: Path, page: str) -> None:
    (tmp_path / "index.html").write_text(page)
    with served(tmp_path) as port:
        html = get(port, "/").read().decode()
    assert html.count("<script>") == 1
    assert "script-src 'sha256-" in html
    assert "connect-src 'self'; style-src 'sha256-" in html
    assert (tmp_path / "index.html").read_text() == page


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
        before = told(stream.readline())
        assert before == {"version": index.stat().st_mtime_ns, "headline": None}
        fresh = tmp_path / "fresh.html"
        fresh.write_text("two")
        fresh.replace(index)
        after = next(told(one) for one in stream if one.strip() and told(one) != before)
        assert after["version"] == index.stat().st_mtime_ns


def told(line: bytes) -> Any:
    return json.loads(line.removeprefix(b"data: "))


def test_a_page_is_told_of_the_build_that_runs(tmp_path: Path) -> None:
    with served(tmp_path, serve.Live(lambda: NOW)) as port:
        found = told(get(port, "/changes").readline())
    assert found["headline"].startswith("A build is running")
    build = found["build"]
    assert build["told"] == "3 of 9 models and tests are done, 1 failed, after 1:01 min."
    assert build["failed"] == ["not_null_a"]
    (stage,) = build["stages"]
    assert stage["facts"] == ["4,096 of 9,000 rows", "512/s", "about 10 s left"]


def test_before_the_first_report_a_page_waits_for_it(tmp_path: Path) -> None:
    with served(tmp_path / "site") as port:
        html = get(port, "/").read().decode()
    assert "No report yet" in html
    assert html.count("<script>") == 1


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with served(tmp_path) as port, pytest.raises(ConfigError, match=f"port {port} is taken"):
        serve.server(tmp_path, port)
