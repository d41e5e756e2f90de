"""Claims about the local server's files: the unmodified client and raw HTTP against a process."""

import socket
import threading
from itertools import pairwise

import openai
import pytest

from tests.python_stages.local.serving import CANARY, Server, lines, stored, until, upload


def test_a_file_comes_back_byte_for_byte(client: openai.OpenAI) -> None:
    content = lines(300)
    file = client.files.create(file=("a b.jsonl", content), purpose="fine-tune")
    assert (file.bytes, file.filename, file.purpose) == (len(content), "a b.jsonl", "fine-tune")
    assert client.files.content(file.id).content == content
    assert client.files.retrieve(file.id) == file


def test_files_are_listed_in_pages_each_once(client: openai.OpenAI) -> None:
    mine = [upload(client) for _ in range(5)]
    listed = [file.id for file in client.files.list(limit=2, purpose="fine-tune")]
    assert len(listed) == len(set(listed))
    assert listed[:5] == mine[::-1]
    first = client.files.list(limit=2)
    assert (len(first.data), first.has_more) == (2, True)
    oldest_first = [file.id for file in client.files.list(limit=2, order="asc")]
    assert oldest_first == listed[::-1]
    assert client.files.list(purpose="batch").data == []


def test_a_deleted_file_is_gone_from_the_api_and_the_disk(
    server: Server, client: openai.OpenAI
) -> None:
    file_id = upload(client)
    blob = server.places.blobs / "files" / file_id
    assert blob.exists()
    assert client.files.delete(file_id).deleted
    assert not blob.exists()
    for ask in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError) as caught:
            ask(file_id)
        assert (caught.value.type, caught.value.param) == ("invalid_request_error", "id")


def test_what_is_stored_is_ciphertext_and_private(server: Server, client: openai.OpenAI) -> None:
    client.files.create(file=(f"{CANARY}.jsonl", lines()), purpose="fine-tune")
    assert CANARY.encode() not in stored(server.places)
    paths = [server.places.token, *server.places.vault.rglob("*")]
    assert {path.stat().st_mode & 0o077 for path in paths} == {0}


def test_an_upload_that_is_cut_off_leaves_nothing(server: Server, client: openai.OpenAI) -> None:
    before = {file.id for file in client.files.list()}
    folder = server.places.blobs / "files"
    upload(client)
    names = set(folder.iterdir())
    with socket.create_connection(("127.0.0.1", server.address.port)) as connection:
        connection.sendall(
            b"POST /v1/files HTTP/1.1\r\nhost: 127.0.0.1\r\n"
            b"authorization: Bearer " + server.token.encode() + b"\r\n"
            b"content-type: multipart/form-data; boundary=x\r\ncontent-length: 100000\r\n\r\n"
            b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n'
            + lines(50)
        )
        until(lambda: set(folder.iterdir()) != names)
        assert CANARY.encode() not in stored(server.places)
    until(lambda: set(folder.iterdir()) == names)
    assert len({file.id for file in client.files.list()} - before) == 1


@pytest.mark.parametrize("seconds", [3_599, 2_592_001])
def test_a_lifetime_outside_an_hour_and_thirty_days_is_refused(
    client: openai.OpenAI, seconds: int
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.files.create(
            file=("a.jsonl", lines()),
            purpose="fine-tune",
            expires_after={"anchor": "created_at", "seconds": seconds},
        )
    assert caught.value.param == "expires_after"


def test_a_lifetime_ends_when_it_was_asked_to(client: openai.OpenAI) -> None:
    file = client.files.create(
        file=("a.jsonl", lines()),
        purpose="fine-tune",
        expires_after={"anchor": "created_at", "seconds": 3_600},
    )
    assert file.expires_at == file.created_at + 3_600


@pytest.mark.parametrize(
    ("name", "purpose", "param"),
    [("a.csv", "fine-tune", "file"), ("a.jsonl", "assistants", "purpose")],
)
def test_what_cannot_be_trained_on_is_not_stored(
    client: openai.OpenAI, name: str, purpose: str, param: str
) -> None:
    n_before = len(client.files.list().data)
    with pytest.raises(openai.BadRequestError) as caught:
        client.files.create(file=(name, lines()), purpose=purpose)  # type: ignore[arg-type] # one of them is wrong on purpose
    assert caught.value.param == param
    assert len(client.files.list().data) == n_before


@pytest.mark.parametrize(
    "form",
    [
        {"data": {"purpose": "fine-tune"}},
        {"data": {"purpose": "fine-tune", "file": "no file"}},
        {"files": {"file": ("a.jsonl", b"x")}},
        {"files": {"file": ("a.jsonl", b"x")}, "data": {"purpose": "fine-tune", "x": "y"}},
        {"json": {"file": "x", "purpose": "fine-tune"}},
        {"content": b"--x", "headers": {"content-type": "multipart/form-data; boundary=x"}},
        {"content": b"", "headers": {"content-type": "multipart/form-data"}},
    ],
)
def test_a_form_that_is_none_is_refused_in_the_apis_words(
    server: Server, form: dict[str, object]
) -> None:
    with server.http() as http:
        answer = http.post("/v1/files", **form)  # type: ignore[arg-type] # forms of many kinds
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_an_upload_that_announces_too_much_is_refused_before_it_is_read(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.address.port)) as connection:
        connection.sendall(
            b"POST /v1/files HTTP/1.1\r\nhost: 127.0.0.1\r\n"
            b"authorization: Bearer " + server.token.encode() + b"\r\n"
            b"content-type: multipart/form-data; boundary=x\r\ncontent-length: 600000000\r\n\r\n"
        )
        assert connection.recv(64).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "file_id", ["..", "../state.sqlite", "..%2f..%2flocal-server.json", "%00", "file-x", "'--"]
)
def test_an_id_that_is_none_leads_nowhere(server: Server, file_id: str) -> None:
    with server.http() as http:
        for path in (f"/v1/files/{file_id}", f"/v1/files/{file_id}/content"):
            answer = http.get(path)
            assert answer.status_code == 404
            assert b"sqlite" not in answer.content
        assert http.delete(f"/v1/files/{file_id}").status_code in {404, 405}


def test_uploads_at_the_same_time_keep_apart(server: Server) -> None:
    contents = [lines(200, answer=f"answer {i}") for i in range(6)]
    ids: list[str] = []

    def one(content: bytes) -> None:
        with server.client() as mine:
            ids.append(upload(mine, content))

    threads = [threading.Thread(target=one, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with server.client() as mine:
        assert {mine.files.content(one).content for one in ids} == set(contents)


def test_ids_tell_nothing_of_each_other(client: openai.OpenAI) -> None:
    ids = sorted(upload(client) for _ in range(4))
    assert all(a[:10] != b[:10] for a, b in pairwise(ids))
