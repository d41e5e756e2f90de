"""Claims about other clients: curl, and the OpenAI client for Node, both as they come."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.python_stages.local.serving import Server, lines

NODE_CLIENT = "openai@6.9.1"
NODE_SCRIPT = """
import OpenAI, { toFile } from "openai";
import { readFileSync } from "node:fs";

const client = new OpenAI({
  baseURL: process.env.BASE_URL, apiKey: process.env.TOKEN, maxRetries: 0,
});
const file = await client.files.create({
  file: await toFile(readFileSync("a.jsonl"), "a.jsonl"), purpose: "fine-tune",
});
let job = await client.fineTuning.jobs.create({
  model: "nano", training_file: file.id, metadata: { from: "node" },
  method: { type: "supervised", supervised: { hyperparameters: { n_epochs: 3 } } },
});
while (!["succeeded", "failed"].includes(job.status)) {
  await new Promise((wake) => setTimeout(wake, 100));
  job = await client.fineTuning.jobs.retrieve(job.id);
}
const events = [];
for await (const event of client.fineTuning.jobs.listEvents(job.id, { limit: 2 }))
  events.push(event);
const ask = {
  model: job.fine_tuned_model, messages: [{ role: "user", content: "x" }], temperature: 0,
};
const whole = await client.chat.completions.create(ask);
let streamed = "";
for await (const chunk of await client.chat.completions.create({ ...ask, stream: true }))
  streamed += chunk.choices[0]?.delta?.content ?? "";
let missing = null;
try { await client.models.retrieve("gpt-x"); }
catch (error) { missing = [error.status, error.code]; }
await client.models.delete(job.fine_tuned_model);
await client.files.delete(file.id);
console.log(JSON.stringify({
  status: job.status, nEvents: events.length, whole: whole.choices[0].message.content,
  streamed, missing,
}));
"""


def curl(server: Server, *arguments: str) -> str:
    """Ask with curl, the token from a file: no secret stands in the process list."""
    config = server.places.vault / "curl.txt"
    config.write_text(f'header = "Authorization: Bearer {server.token}"\nsilent\n')
    ran = subprocess.run(
        ["curl", "--noproxy", "*", "--config", str(config), *arguments],  # noqa: S607 - whichever curl there is
        capture_output=True,
        check=True,
    )
    return ran.stdout.decode()


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl_uploads_trains_and_asks(server: Server, tmp_path: Path) -> None:
    url = server.address.base_url
    content = tmp_path / "a.jsonl"
    content.write_bytes(lines())
    form = ("-F", "purpose=fine-tune", "-F", f"file=@{content}")
    file = json.loads(curl(server, f"{url}/files", *form))
    assert curl(server, f"{url}/files/{file['id']}/content").encode() == lines()
    body = json.dumps({"model": "nano", "training_file": file["id"]})
    as_json = ("-H", "content-type: application/json")
    job = json.loads(curl(server, f"{url}/fine_tuning/jobs", *as_json, "-d", body))
    while job["status"] not in {"succeeded", "failed"}:
        job = json.loads(curl(server, f"{url}/fine_tuning/jobs/{job['id']}"))
    assert job["status"] == "succeeded"
    asked = {
        "model": job["fine_tuned_model"],
        "messages": [{"role": "user", "content": "x"}],
        "temperature": 0,
    }
    answer = curl(server, f"{url}/chat/completions", *as_json, "-d", json.dumps(asked))
    assert json.loads(answer)["choices"][0]["message"]["content"] == "Travel"
    streamed = curl(
        server,
        "-N",
        f"{url}/chat/completions",
        *as_json,
        "-d",
        json.dumps(asked | {"stream": True}),
    )
    assert streamed.startswith("data: {")
    assert streamed.endswith("data: [DONE]\n\n")
    gone = json.loads(curl(server, "-X", "DELETE", f"{url}/files/{file['id']}"))
    assert gone == {"id": file["id"], "object": "file", "deleted": True}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")
def test_the_client_for_node_uploads_trains_streams_and_deletes(
    server: Server, tmp_path: Path
) -> None:
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", NODE_CLIENT]
    if subprocess.run(install, cwd=tmp_path, check=False, capture_output=True).returncode:
        pytest.skip("npm cannot reach a registry")
    (tmp_path / "a.jsonl").write_bytes(lines())
    (tmp_path / "ask.mjs").write_text(NODE_SCRIPT)
    ran = subprocess.run(
        ["node", "ask.mjs"],  # noqa: S607 - whichever node there is
        cwd=tmp_path,
        env=os.environ | {"BASE_URL": server.address.base_url, "TOKEN": server.token},
        capture_output=True,
        check=True,
    )
    assert json.loads(ran.stdout) == {
        "status": "succeeded",
        "nEvents": 8,
        "whole": "Travel",
        "streamed": "Travel",
        "missing": [404, "model_not_found"],
    }
