"""The guarantee, against independent computations."""

import math
from dataclasses import replace

import dp_accounting
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from dp_accounting.rdp import RdpAccountant
from jax_privacy import accounting
from scipy.stats import binom, kstest, norm

from python_stages.errors import ConfigError
from python_stages.training import privacy
from python_stages.training.dataset import read
from python_stages.training.model import init
from python_stages.training.plan import make_plan
from python_stages.training.privacy import Mechanism
from python_stages.training.settings import TrainSettings
from python_stages.training.steps import State, noisy_step
from tests.python_stages.training.toy import ENCODE, lines

SECRET = bytes(range(32))


@pytest.fixture(scope="module")
def mechanism() -> Mechanism:
    return privacy.calibrate(
        epsilon=2.0,
        delta=1e-5,
        n_rows=1_000,
        batch_size=100,
        n_steps=40,
        clip_norm=0.5,
        rows_per_person=None,
    )


def test_the_noise_spends_what_was_asked_and_hardly_less(mechanism: Mechanism) -> None:
    accountant = accounting.DpsgdTrainingAccountant(accounting.PldAccountantConfig())
    params = accounting.DpParams(
        noise_multipliers=mechanism.noise_multiplier, num_samples=1_000, batch_size=100, delta=1e-5
    )
    assert 1.99 < accountant.compute_epsilon(40, params) <= 2.0


def test_renyi_accounting_bounds_the_reported_epsilon(mechanism: Mechanism) -> None:
    accountant = RdpAccountant()
    event = dp_accounting.PoissonSampledDpEvent(
        0.1, dp_accounting.GaussianDpEvent(mechanism.noise_multiplier)
    )
    accountant.compose(event, 40)
    epsilon = privacy.report(mechanism).epsilon
    assert 0.7 * accountant.get_epsilon(1e-5) < epsilon <= accountant.get_epsilon(1e-5)


def test_without_sampling_it_is_the_gaussian_mechanism(mechanism: Mechanism) -> None:
    full = replace(mechanism, sampling_probability=1.0, n_steps=9, noise_multiplier=6.0)
    epsilon = privacy.spent(full)
    mu = math.sqrt(9) / 6.0  # Dong, Roth and Su, 1905.02383
    delta = norm.cdf(-epsilon / mu + mu / 2) - math.exp(epsilon) * norm.cdf(-epsilon / mu - mu / 2)
    assert delta == pytest.approx(1e-5, rel=0.02)


def test_a_person_of_one_row_needs_the_noise_of_a_row(mechanism: Mechanism) -> None:
    alone = privacy.spent(replace(mechanism, rows_per_person=1))
    assert alone == pytest.approx(privacy.spent(mechanism), rel=1e-6)


def test_persons_of_more_rows_spend_more_than_their_binomial_share(mechanism: Mechanism) -> None:
    short = replace(mechanism, rows_per_person=2, n_steps=1, noise_multiplier=4.0)
    exact = dp_accounting.pld.PLDAccountant(
        dp_accounting.NeighboringRelation.ADD_OR_REMOVE_ONE, value_discretization_interval=1e-3
    )
    shares = [float(binom.pmf(rows, 2, 0.1)) for rows in range(3)]
    exact.compose(dp_accounting.dp_event.MixtureOfGaussiansDpEvent(4.0, [0, 1, 2], shares))
    assert privacy.spent(short) >= exact.get_epsilon(1e-5) - 1e-3
    assert privacy.spent(short) > privacy.spent(replace(short, rows_per_person=None))


def test_next_to_no_noise_is_refused() -> None:
    with pytest.raises(ConfigError, match="epsilon"):
        privacy.calibrate(
            epsilon=100.0,
            delta=1e-5,
            n_rows=1_000_000,
            batch_size=10,
            n_steps=1,
            clip_norm=1.0,
            rows_per_person=None,
        )


def test_every_row_takes_part_with_the_same_probability_independently(
    mechanism: Mechanism,
) -> None:
    n_steps = 400
    took_part = np.zeros((n_steps, mechanism.n_rows), bool)
    for step in range(n_steps):
        took_part[step, privacy.sampled_rows(SECRET, step, mechanism)] = True
    sizes = took_part.sum(axis=1)
    # a fixed batch size would have no variance: a binomial one has 90
    assert 70 < sizes.var() < 112
    assert kstest(sizes, binom(1_000, 0.1).cdf).pvalue > 1e-3
    per_row = took_part.sum(axis=0)
    assert 29 < per_row.var() < 43  # 400 x 0.1 x 0.9 = 36
    assert abs(np.corrcoef(took_part[:-1].ravel(), took_part[1:].ravel())[0, 1]) < 0.01


def test_rows_and_noise_follow_the_secret_and_the_step(mechanism: Mechanism) -> None:
    rows = privacy.sampled_rows(SECRET, 3, mechanism).tolist()
    assert rows == privacy.sampled_rows(SECRET, 3, mechanism).tolist()
    assert rows != privacy.sampled_rows(SECRET, 4, mechanism).tolist()
    assert rows != privacy.sampled_rows(bytes(32), 3, mechanism).tolist()
    seeds = {tuple(privacy.noise_seed(SECRET, step)) for step in range(1_000)}
    assert len(seeds) == 1_000
    assert privacy.new_secret() != privacy.new_secret()


def test_the_noise_of_a_step_is_gaussian_added_once_and_of_the_told_size() -> None:
    data, _ = read(lines(100), ENCODE, deduplicate=True)
    settings = TrainSettings(preset="pico", epsilon=8.0, batch_size=20)
    plan = make_plan(settings, data.n_rows, has_validation=False)
    mechanism = Mechanism(3.0, 0.2, 10, 0.5, 1e-5, 100, None)
    state = State.beginning_with(init(plan.shape, 0))
    after = noisy_step(
        state, plan, mechanism, data, [], rate=0.0, noise_seed=privacy.noise_seed(SECRET, 0)
    )
    # of the first moment, which is a tenth of the gradient after one step
    moments = jax.tree.leaves(after.moments.mu)
    noise = np.concatenate([np.ravel(m) for m in moments]) * 10 * plan.batch_size
    assert noise.std() == pytest.approx(3.0 * 0.5, rel=0.01)
    assert abs(noise.mean()) < 0.02
    assert kstest(noise[::50] / 1.5, norm.cdf).pvalue > 1e-3
    assert jax.tree.all(jax.tree.map(jnp.array_equal, dict(after.params), dict(state.params)))


def test_a_report_says_what_is_guaranteed_and_what_is_not(mechanism: Mechanism) -> None:
    report = privacy.report(mechanism)
    assert (report.n_steps, report.sampling_probability, report.clip_norm) == (40, 0.1, 0.5)
    assert report.noise_multiplier == mechanism.noise_multiplier
    assert report.unit == "one row, with all its exact copies"
    assert "3" in privacy.report(replace(mechanism, rows_per_person=3)).unit
    assert any("several rows" in sentence for sentence in report.not_covered)


def test_counts_are_told_with_geometric_noise_of_the_told_size() -> None:
    draws = [
        privacy.noisy_counts(i.to_bytes(32), (1_000, 500), 0.5, 2)[0] - 1_000 for i in range(4_000)
    ]
    assert abs(np.mean(draws)) < 0.4
    q = math.exp(-0.25)
    assert np.var(draws) == pytest.approx(2 * q / (1 - q) ** 2, rel=0.15)
    assert np.mean(np.array(draws) == 0) == pytest.approx((1 - q) / (1 + q), abs=0.02)
