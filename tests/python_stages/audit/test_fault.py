"""A trainer that claims an epsilon and adds no noise is caught, and a correct one is not."""

import pytest

from python_stages.audit import Report, Verdict
from tests.python_stages.audit.faulty import audited, noise_switched_off

EPSILON = 1.0
N_EPOCHS = 20


def told(name: str, seed: int, found: Report) -> str:
    """Return a row of the table."""
    rates = {row.metric: row.value for row in found.rows if row.kind == "all"}
    return (
        f"{name:<9} seed {seed}  claimed {EPSILON:.1f}  shown {found.epsilon_shown:5.2f} of "
        f"{found.max_epsilon:.2f}  AUC {rates['membership_auc']:.3f}  {found.verdict}"
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_training_without_its_noise_fails_the_audit_and_one_with_it_does_not(
    seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with noise_switched_off():
        faulty = audited(EPSILON, seed, n_epochs=N_EPOCHS)
    right = audited(EPSILON, seed, n_epochs=N_EPOCHS)
    with capsys.disabled():
        print("\n" + told("no noise", seed, faulty))  # noqa: T201 - the table
        print(told("noise", seed, right))  # noqa: T201 - the table
    assert faulty.verdict is Verdict.FAIL
    assert faulty.epsilon_shown > EPSILON
    assert right.verdict is not Verdict.FAIL
    assert right.epsilon_shown <= EPSILON
