"""The site on loopback: pages say how a build comes along, and reload when it was written anew.

The pages stay as they are on disk. On their way out, each gets one script, which hears from this
server what runs and what changed; the policy of the page is widened to that script, by its hash,
and to this server. While the site is served, it is written anew whenever a build has changed the
vault. What a build tells (`running.py`) names models and tests, and counts.
"""

import base64
import hashlib
import http.server
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from html import unescape
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from python_stages.errors import ConfigError, SealtuneError
from python_stages.running import Snapshot, clock
from python_stages.site.pages import policy, style

_BOX: Final = (
    '<section id="live" class="verdict open" aria-label="Build" hidden>'
    '<p class="level" role="status"></p><div></div></section>'
)
_MAIN: Final = '<main id="main" tabindex="-1">'
_POLICY: Final = re.compile(r'(?<=<meta http-equiv="Content-Security-Policy" content=")[^"]*')
_CLOSED: Final = "default-src 'none'; "
_LOOK_SECONDS: Final = 1.0
Say = Callable[[str], None]


@dataclass(slots=True)
class Live:
    """What goes on beside the pages.

    Args:
        running: returns the build that runs, or None.
        is_writing: whether the pages are being written anew.
    """

    running: Callable[[], Snapshot | None] = lambda: None
    is_writing: bool = False

    def told(self) -> dict[str, Any]:
        """Return what a page is told of it: a headline, or None, and the build."""
        now = self.running()
        if now is None:
            return {"headline": "Writing these pages anew." if self.is_writing else None}
        done = f"{now.n_done:,} of {now.n_total or 0:,} models and tests are done"
        stages = [
            {
                "name": one.name,
                "facts": list(one.facts()),
                "n_done": one.n_done,
                "n_total": one.n_total,
            }
            for one in now.stages
        ]
        build = {
            "told": f"{done}, {len(now.failed):,} failed, after {clock(now.seconds)}.",
            "n_done": now.n_done,
            "n_total": now.n_total,
            "failed": now.failed,
            "stages": stages,
        }
        return {"headline": "A build is running; below stands the last one.", "build": build}


@cache
def _script() -> str:
    return files("python_stages.site").joinpath("templates/live.js").read_text("utf-8")


def with_reload(html: str) -> str:
    """Return a page that tells of a build and reloads; one with another policy stays as it is."""
    digest = base64.b64encode(hashlib.sha256(_script().encode()).digest()).decode()
    found = _POLICY.search(html)
    # as attributes are written, with or without quotes escaped
    told = unescape(found[0]) if found else ""
    if not found or not told.startswith(_CLOSED) or _MAIN not in html:
        return html
    widened = f"{_CLOSED}script-src 'sha256-{digest}'; connect-src 'self'; "
    page = html[: found.start()] + told.replace(_CLOSED, widened, 1) + html[found.end() :]
    page = page.replace(_MAIN, f"{_MAIN}{_BOX}", 1)
    return page.replace("</body>", f"<script>{_script()}</script></body>", 1)


def waiting_page() -> str:
    """Return the page that stands for a site that is not written yet."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(style())}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>No report yet</title><link rel="icon" href="data:,"><style>{style()}</style>'
        f"</head><body>{_MAIN}<h1>No report yet</h1><p>It comes here when the build has ended.</p>"
        "</main></body></html>"
    )


class Handler(http.server.SimpleHTTPRequestHandler):
    """Gives out the files of one folder, and the word that they changed."""

    server: "SiteServer"
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
        elif self.path in {"/", "/index.html"}:
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
        try:
            html = path.read_text("utf-8")
        except OSError:  # not written yet, or between the old one and the new one
            html = waiting_page()
        body = with_reload(html).encode()
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
                told = {"version": version(Path(self.directory)), **self.server.live.told()}
                self.wfile.write(f"data: {json.dumps(told)}\n\n".encode())
                self.wfile.flush()
                time.sleep(_LOOK_SECONDS)
        except OSError:  # the page was closed
            return


class SiteServer(http.server.ThreadingHTTPServer):
    """Serves the pages, each request in a thread that ends with the process."""

    daemon_threads = True
    live: Live


def version(folder: Path) -> int:
    """Return a number that changes when the site in the folder is another."""
    try:
        return (folder / "index.html").stat().st_mtime_ns
    except OSError:  # none, or between the old one and the new one
        return 0


def server(folder: Path, port: int, live: Live | None = None) -> SiteServer:
    """Return a server of a folder on loopback that is not running yet.

    Args:
        folder: the site.
        port: 0 takes a free one.
        live: what goes on beside the pages.

    Raises:
        ConfigError: the port is taken.
    """
    handler = partial(Handler, directory=str(folder.absolute()))
    try:
        made = SiteServer(("127.0.0.1", port), handler)
    except OSError:
        raise ConfigError(f"port {port} is taken; name another, or 0 for a free one") from None
    made.live = live or Live()
    return made


def serve(
    folder: Path,
    port: int,
    say: Say,
    *,
    running: Callable[[], Snapshot | None],
    changed: Callable[[], object],
    write: Callable[[], object],
    is_written: bool = True,
) -> None:
    """Serve a site until the user stops it, and write it anew when the vault has changed.

    Args:
        folder: the site.
        port: 0 takes a free one.
        say: takes lines for the user.
        running: returns the build that runs, or None.
        changed: returns something else after a build, and None while somebody writes.
        write: writes the site anew.
        is_written: whether the site is that of the last build.
    """
    live = Live(running)
    made = server(folder, port, live)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    say(f"serving on http://127.0.0.1:{made.server_address[1]}/ until you press Ctrl-C")
    before, said = changed() if is_written else None, ""
    try:
        while True:
            time.sleep(_LOOK_SECONDS)
            now = changed()
            if running() or now is None or now == before:
                continue
            live.is_writing = True
            try:
                write()
                before = changed()  # dbt docs touches the vault as well
            except SealtuneError as error:  # the build still holds the vault; try again
                if str(error) != said:
                    say(said := str(error))
                time.sleep(5 * _LOOK_SECONDS)
            finally:
                live.is_writing = False
    except KeyboardInterrupt:
        say("stopped")
    finally:
        made.shutdown()
        made.server_close()
