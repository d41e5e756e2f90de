"""Claims about who may ask the local server, how much, and what it tells."""

import re

import httpx2
import pytest

from python_stages.backends.local.app import MAX_BODY_BYTES
from tests.python_stages.local.serving import CANARY, Server

PATHS = ["/", "/v1/files", "/v1/models", "/v1/fine_tuning/jobs", "/v1/nothing"]


def bare(server: Server) -> httpx2.Client:
    return httpx2.Client(base_url=server.url, trust_env=False)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("given", [None, "", "Bearer", "Bearer x", "Basic x", "Bearer \xe9"])
def test_nothing_is_answered_without_the_token(
    server: Server, path: str, given: str | None
) -> None:
    headers = {} if given is None else {b"authorization": given.encode("latin-1")}
    with bare(server) as http:
        answer = http.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert server.token not in answer.text


def test_a_page_of_another_name_for_this_machine_is_refused(server: Server) -> None:
    with server.http() as http:
        assert http.get("/v1/models", headers={"host": "evil.example"}).status_code == 400
        assert http.get("/docs", headers={"host": "evil.example:80"}).status_code == 400
        assert http.get("/v1/models", headers={"host": "localhost:1"}).status_code == 200


def test_no_page_of_a_browser_is_let_in(server: Server) -> None:
    with server.http() as http:
        answer = http.get("/v1/models", headers={"origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_body_over_the_limit_is_refused(server: Server) -> None:
    with server.http() as http:
        answer = http.post("/v1/chat/completions", content=b" " * (MAX_BODY_BYTES + 1))
    assert answer.status_code == 413
    assert "error" in answer.json()


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "unknown_url"),
        ("PUT", "/v1/files", 405, "method_not_supported"),
        ("GET", "/v1/files?limit=0", 400, "invalid_value"),
        ("GET", "/v1/files?limit=x", 400, "invalid_value"),
        ("POST", "/v1/chat/completions", 400, "missing_required_parameter"),
    ],
)
def test_every_error_has_the_apis_form(
    server: Server, method: str, path: str, status: int, code: str
) -> None:
    with server.http() as http:
        answer = http.request(method, path, json={} if method == "POST" else None)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == code


def test_a_body_that_is_no_json_is_not_quoted(server: Server) -> None:
    with server.http() as http:
        answer = http.post("/v1/fine_tuning/jobs", content=f'{{"{CANARY}'.encode())
    assert answer.status_code == 400
    assert CANARY not in answer.text


def test_the_description_needs_no_token_and_no_other_host(server: Server) -> None:
    with bare(server) as http:
        page, document = http.get("/docs"), http.get("/openapi.json")
    assert "/v1/fine_tuning/jobs/{job_id}/cancel" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert not re.findall(r"https?://", page.text)
    assert document.json()["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert "422" not in document.text
