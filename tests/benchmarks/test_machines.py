"""What the page says of 3 and 30 machines is arithmetic on what was measured."""

from typing import Any

from benchmarks.machines import WAITING, polling, rate_of_machine, section

SPEED = {"servers": {"level 4": {"1 x 8": [{"requests_per_second": 1500.0}]}}}
BOARD = {"levels": {"4": {"cost": {"measured": {"memory_mb": 2000}}}}}


def measured(appends: float, of_registry: float) -> dict[str, Any]:
    """Return figures of replicas that take 2 ms a request, and so much of the registry each."""
    of_count = {
        count: {
            "idle_cores": {"the registry": 0.1 + of_registry * int(count)},
            "processor_ms": {"replicas": 2.0, "balancer": 0.25},
            "replicas_mb": 120 * int(count),
        }
        for count in "123"
    }
    log = {"SQLite": {"1": {"3": 9000.0}}, "PostgreSQL": {"1": {"3": appends}}}
    return {"cores": 2, "replicas": of_count, "log": log}


def test_a_machine_answers_what_its_cores_have_time_for() -> None:
    assert rate_of_machine(measured(2000, 0.1)) == 1000  # two cores, 2 ms a request
    text = section(measured(2000, 0.1), SPEED, BOARD, 900)
    assert "| requests a second: the application | 1,500 | *3,000* | *30,000* |" in text


def test_what_is_full_with_the_fewest_machines_is_named_first() -> None:
    text = section(measured(2000, 0.01), SPEED, BOARD, 900)
    assert "**The prediction log is full first**, with 2.0 machines" in text
    assert round(polling(measured(2000, 0.25)), 3) == 0.25
    text = section(measured(50_000, 0.25), SPEED, BOARD, 900)
    assert "**The registry is full first**, with 2.0 machines" in text  # four replicas take all of its process


def test_nothing_is_said_before_it_is_measured() -> None:
    assert section({}, SPEED, BOARD, 900) == WAITING
