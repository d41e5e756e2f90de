"""A stand-in for what creates and deletes deployments at Azure."""

from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from tests.python_stages.backends.stand_in import found_in, refused


@dataclass
class Management:
    """State of the management API: one resource and its deployments.

    Args:
        location: region of the resource, as Azure spells it.
        n_polls: how often a deployment is asked for before it is made or gone.
    """

    location: str = "Sweden Central"
    n_polls: int = 1
    token: str = "arm-token-THE-SECRET"  # noqa: S105 - the stand-in's own
    url: str = ""
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    deployments: dict[str, dict[str, Any]] = field(default_factory=dict)


def management_app(state: Management) -> FastAPI:
    """Return the management API over its state."""
    app = FastAPI(openapi_url=None)
    account = (
        "/subscriptions/{subscription}/resourceGroups/{group}"
        "/providers/Microsoft.CognitiveServices/accounts/{account}"
    )
    deployment = f"{account}/deployments/{{name}}"

    @app.middleware("http")
    async def guard(request: Request, call_next: Any) -> Response:
        if request.headers.get("authorization") != f"Bearer {state.token}":
            return refused(401, "AuthenticationFailed", "no such token")
        body = await request.json() if await request.body() else None
        state.requests.append((request.method, request.url.path, body))
        answer: Response = await call_next(request)
        return answer

    @app.get(account)
    async def resource(request: Request) -> Any:
        return {"id": request.url.path, "name": "account", "location": state.location}

    @app.put(deployment, status_code=201)
    async def put(name: str, request: Request) -> Any:
        body = await request.json()
        body["properties"]["provisioningState"] = "Creating"
        kept = body | {"id": request.url.path, "name": name, "n_seen": 0}
        state.deployments[name] = kept
        return JSONResponse(kept, 201, {"retry-after": "0"})

    @app.get(deployment)
    async def get(name: str) -> Any:
        kept = found_in(state.deployments, name)
        kept["n_seen"] += 1
        if kept["n_seen"] > state.n_polls:
            kept["properties"]["provisioningState"] = "Succeeded"
        return JSONResponse(kept, 200, {"retry-after": "0"})

    @app.delete(deployment)
    async def delete(name: str) -> Any:
        if name not in state.deployments:
            return Response(status_code=204)
        del state.deployments[name]
        return Response(status_code=200)

    return app
