from prometheus_client import generate_latest

from referral_contracts.codes import Code
from service_chassis.metrics import Metrics
from service_chassis.transaction import Fenced, Unproducible


def shown(metrics: Metrics) -> list[str]:
    return [line for line in generate_latest(metrics.registry).decode().splitlines() if not line.startswith("#")]


def test_records_are_counted_by_outcome() -> None:
    metrics = Metrics()
    metrics.judged("accepted", 3)
    metrics.judged("bad-signature")
    metrics.judged("accepted")

    assert 'referral_bus_records_total{outcome="accepted"} 4.0' in shown(metrics)
    assert 'referral_bus_records_total{outcome="bad-signature"} 1.0' in shown(metrics)


def test_transactions_are_counted_by_result() -> None:
    metrics = Metrics()
    metrics.committed(10, 0.004, waited_s=0.3)
    metrics.failed(Fenced())
    metrics.failed(Unproducible(Code.UNDELIVERABLE))
    metrics.failed(TimeoutError())

    for result in ("committed", "fenced", "refused", "unknown"):
        assert f'referral_bus_transactions_total{{result="{result}"}} 1.0' in shown(metrics)


def test_a_partition_that_went_shows_no_lag_any_more() -> None:
    metrics = Metrics()
    metrics.lanes({("in", 0): 5, ("in", 1): 7}, state_bytes=10, stuck=0)
    metrics.lanes({("in", 1): 6}, state_bytes=10, stuck=0)

    lags = [line for line in shown(metrics) if line.startswith("referral_bus_lag_records")]

    assert lags == ['referral_bus_lag_records{partition="1",topic="in"} 6.0']


def test_two_processes_in_one_do_not_share_a_registry() -> None:
    Metrics().judged("accepted")

    assert not any("accepted" in line for line in shown(Metrics()))


def test_how_long_submissions_wait_and_when_the_directory_expires_is_shown() -> None:
    metrics = Metrics()
    metrics.committed(10, 0.004, waited_s=0.3)
    metrics.committed(10, 0.004, waited_s=-0.3)  # the broker's clock is a little ahead of ours
    metrics.directory(age_s=2.0, expires_s=None)
    metrics.directory(age_s=1.0, expires_s=1_700_000_000.5)
    metrics.directory(age_s=3.0, expires_s=None)

    lines = shown(metrics)

    assert 'referral_bus_wait_seconds_bucket{le="0.01"} 1.0' in lines
    assert 'referral_bus_wait_seconds_bucket{le="0.5"} 2.0' in lines
    assert "referral_bus_directory_age_seconds 3.0" in lines
    assert "referral_bus_directory_expires_timestamp_seconds 1.7000000005e+09" in lines
