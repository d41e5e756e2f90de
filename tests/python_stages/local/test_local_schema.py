"""The local server keeps what its OpenAPI document promises, whatever is asked of it."""

from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import AuthContext, Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.python_stages.local.serving import Server

N_EXAMPLES = 8
# No schema can say that an id must exist, or that two settings must go together.
BEYOND_SCHEMA: list[Any] = [positive_data_acceptance]


def test_every_answer_is_as_described(server: Server) -> None:
    """Schemathesis: sound and unsound requests; status, type and shape of what is answered."""
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")

    @schema.auth()
    class Token:
        def get(self, _case: Case[Any], _context: AuthContext) -> str:
            return server.token

        def set(self, case: Case[Any], data: str, _context: AuthContext) -> None:
            case.headers["authorization"] = f"Bearer {data}"

    n_operations = 0
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        n_operations += 1
        modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))

        @settings(
            max_examples=N_EXAMPLES,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=cases)
        def ask(case: Case[Any]) -> None:
            case.call_and_validate(excluded_checks=BEYOND_SCHEMA)

        ask()
    assert n_operations == 17
