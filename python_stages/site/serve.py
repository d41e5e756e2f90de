"""The site on loopback: pages reload by themselves when it was written anew.

The pages stay as they are on disk. On their way out, each gets one script, which waits for a word
from this server and reloads; the policy of the page is widened to that script, by its hash, and to
this server. While the site is served, it is written anew whenever a build has changed the vault.
"""

import base64
import hashlib
import http.server
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from python_stages.errors import ConfigError, SealtuneError

_SCRIPT: Final = (
    "new EventSource('/changes').onmessage=e=>{if(window.at&&window.at!==e.data)location.reload();"
    "window.at=e.data}"
)
_LOOK_SECONDS: Final = 1.0
Say = Callable[[str], None]


def with_reload(html: str) -> str:
    """Return a page that reloads when the site changes; one without a policy stays as it is."""
    digest = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    closed = "default-src 'none'; style-src"
    widened = f"default-src 'none'; script-src 'sha256-{digest}'; connect-src 'self'; style-src"
    if closed not in html:
        return html
    return html.replace(closed, widened, 1).replace(
        "</body>", f"<script>{_SCRIPT}</script></body>", 1
    )


class Handler(http.server.SimpleHTTPRequestHandler):
    """Gives out the files of one folder, and the word that they changed."""

    server_version = "sealtune"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer a request; only one for this very host, so that no other site can read along."""
        port = self.connection.getsockname()[1]
        if self.headers.get("Host") not in {f"127.0.0.1:{port}", f"localhost:{port}"}:
            self.send_error(http.HTTPStatus.MISDIRECTED_REQUEST)
        elif self.path == "/changes":
            self._changes()
        elif (path := Path(self.translate_path(self.path))).suffix == ".html" and path.is_file():
            self._page(path)
        elif self.path == "/":
            self._page(Path(self.directory) / "index.html")
        else:
            super().do_GET()

    def end_headers(self) -> None:
        """Add what every answer carries."""
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the library calls it
        """Keep the terminal quiet."""

    def _page(self, path: Path) -> None:
        body = with_reload(path.read_text("utf-8")).encode()
        self.send_response(http.HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _changes(self) -> None:
        self.send_response(http.HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            while True:
                self.wfile.write(f"data: {version(Path(self.directory))}\n\n".encode())
                self.wfile.flush()
                time.sleep(_LOOK_SECONDS)
        except OSError:  # the page was closed
            return


def version(folder: Path) -> int:
    """Return a number that changes when the site in the folder is another."""
    try:
        return (folder / "index.html").stat().st_mtime_ns
    except OSError:  # between the old one and the new one
        return 0


def server(folder: Path, port: int) -> http.server.ThreadingHTTPServer:
    """Return a server of a folder on loopback that is not running yet.

    Raises:
        ConfigError: the port is taken.
    """
    handler = partial(Handler, directory=str(folder.absolute()))
    try:
        made = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError:
        raise ConfigError(f"port {port} is taken; name another, or 0 for a free one") from None
    made.daemon_threads = True
    return made


def serve(
    folder: Path, port: int, say: Say, *, changed: Callable[[], object], write: Callable[[], object]
) -> None:
    """Serve a site until the user stops it, and write it anew when the vault has changed.

    Args:
        folder: the site.
        port: 0 takes a free one.
        say: takes lines for the user.
        changed: returns something else after a build, and None while one runs.
        write: writes the site anew.
    """
    made = server(folder, port)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    say(f"serving on http://127.0.0.1:{made.server_address[1]}/ until you press Ctrl-C")
    before, said = changed(), ""
    try:
        while True:
            time.sleep(_LOOK_SECONDS)
            now = changed()
            if now is None or now == before:
                continue
            try:
                write()
                before = changed()  # dbt docs touches the vault as well
            except SealtuneError as error:  # the build still holds the vault; try again
                if str(error) != said:
                    say(said := str(error))
                time.sleep(5 * _LOOK_SECONDS)
    except KeyboardInterrupt:
        say("stopped")
    finally:
        made.shutdown()
        made.server_close()
