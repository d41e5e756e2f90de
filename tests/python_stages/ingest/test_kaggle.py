"""Claims about Kaggle locations: the real kagglehub client against a stand-in of its API.

The client's addresses are fixed, so the stand-in is its HTTP proxy: it answers what the client asks
http://localhost for, and refuses every other host, which would show that something phones home.
"""

import base64
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from python_stages.errors import SourceError
from python_stages.ingest import sources
from python_stages.ingest.sources import open_location

pytest.importorskip("kagglehub", reason="the extra kaggle is not installed")

CSV = b"a,b\n1,canary4242\n"
NAME = "synthetic_fraud_data.csv"
LOCATION = f"kaggle://ismetsemedov/transactions/{NAME}"
API = "http://localhost/api/v1/datasets.DatasetApiService"
CREDENTIALS = "Basic " + base64.b64encode(b"user:secret").decode()


class _Handler(BaseHTTPRequestHandler):
    server: "_Api"

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        request = json.loads(self.rfile.read(length) or b"{}")
        self.server.asked.append(self.path)
        if self.headers.get("Authorization") != CREDENTIALS:
            self._answer(401, b'{"code": 401, "message": "who are you"}')
        elif self.path == f"{API}/GetDataset":
            self._answer(200, b'{"currentVersionNumber": 3}')
        elif self.path == f"{API}/DownloadDataset" and request.get("fileName") == NAME:
            suffix = ".zip" if self.server.is_zipped else ""
            self._answer(302, b"", Location=f"http://localhost/storage/{NAME}{suffix}")
        else:
            self._answer(404, b'{"code": 404, "message": "no such file"}')

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.path.startswith("http://localhost/storage/"):
            self._answer(200, _zipped(CSV) if self.path.endswith(".zip") else CSV)
        else:
            self._answer(403, b"")

    def do_CONNECT(self) -> None:
        self.server.asked.append(self.path)
        self._answer(403, b"")

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        kind = "application/json" if body.startswith(b"{") else "application/octet-stream"
        for name, value in {"Content-Type": kind, **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""


class _Api(ThreadingHTTPServer):
    def __init__(self, *, is_zipped: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.is_zipped = is_zipped
        self.asked: list[str] = []


def _zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(NAME, data)
    return buffer.getvalue()


@contextmanager
def kaggle(
    monkeypatch: pytest.MonkeyPatch, home: Path, *, key: str = "secret", is_zipped: bool = False
) -> Iterator[_Api]:
    with _Api(is_zipped=is_zipped) as api:
        thread = Thread(target=api.serve_forever)
        thread.start()
        proxy = f"http://127.0.0.1:{api.server_port}"
        environment = {
            "KAGGLE_API_ENVIRONMENT": "LOCALHOST",
            "KAGGLE_USERNAME": "user",
            "KAGGLE_KEY": key,
            "KAGGLEHUB_CACHE": str(home / "cache"),
            "HOME": str(home),
            **dict.fromkeys(["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"], proxy),
            **dict.fromkeys(["NO_PROXY", "no_proxy"], ""),
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        sources.download_from_kaggle.cache_clear()  # a process asks once; a test is a new one
        try:
            yield api
        finally:
            api.shutdown()
            thread.join()


@pytest.mark.parametrize("is_zipped", [False, True])
def test_a_kaggle_file_is_downloaded_once_and_from_nowhere_else(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    *,
    is_zipped: bool,
) -> None:
    with kaggle(monkeypatch, tmp_path, is_zipped=is_zipped) as api:
        (file,) = open_location(LOCATION)
        assert file.path.read_bytes() == CSV
        assert file.columns == ("a", "b")
        assert file.path.is_relative_to(tmp_path / "cache")
        asked = list(api.asked)
        assert open_location(LOCATION) == (file,)
    assert all(url.startswith("http://localhost/") for url in api.asked)
    downloads = [url for url in api.asked if "DownloadDataset" in url or "storage" in url]
    assert downloads == [url for url in asked if "DownloadDataset" in url or "storage" in url]
    said = capfd.readouterr()
    assert said.out == ""
    assert not any(secret in said.err for secret in ("canary4242", "secret"))


def test_wrong_credentials_and_missing_files_are_source_errors_that_tell_no_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (
        kaggle(monkeypatch, tmp_path, key="wrongsecret"),
        pytest.raises(SourceError, match="did not hand out") as error,
    ):
        open_location(LOCATION)
    assert "wrongsecret" not in str(error.value)
    with (
        kaggle(monkeypatch, tmp_path),
        pytest.raises(SourceError, match=r"did not hand out other\.csv"),
    ):
        open_location("kaggle://ismetsemedov/transactions/other.csv")


def test_no_network_is_a_source_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with kaggle(monkeypatch, tmp_path):
        pass  # and now nothing listens there
    with pytest.raises(SourceError, match="check the name, the network"):
        open_location(LOCATION)


def test_without_the_extra_the_error_names_it() -> None:
    program = (
        "import sys\n"
        "sys.modules['kagglehub'] = None\n"  # what Python takes for a package that is not there
        "from python_stages.ingest.sources import open_location\n"
        f"open_location({LOCATION!r})\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert "SourceError: reading from Kaggle needs the extra `kaggle`" in run.stderr
