"""What every measure of lateness does: run by the fake and by the event loop's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ports.clock import Clock
    from ports.lateness import Lateness


class LatenessContract(ABC):
    """Subclass it in a test module, with a fixture that sets the attributes.

    Attributes:
        clock: a test's own time.
        lateness: what is tested, with no lateness so far.
    """

    clock: Clock
    lateness: Lateness

    def now(self) -> float:
        """Return the clock's monotonic seconds."""
        return self.clock.monotonic()

    @abstractmethod
    def run_on_time(self, seconds: float) -> None:
        """Let time pass in which the process does its work when it is due."""

    @abstractmethod
    def hold_up(self, seconds: float) -> None:
        """Let time pass in which the process cannot run; it runs again at the end."""

    def test_a_process_on_time_has_no_lateness(self) -> None:
        began = self.now()
        self.run_on_time(3.0)

        assert self.lateness.late_seconds(began) == 0

    def test_time_in_which_the_process_could_not_run_is_lateness(self) -> None:
        began = self.now()
        self.run_on_time(1.0)
        self.hold_up(2.0)
        self.run_on_time(1.0)

        assert self.lateness.late_seconds(began) == pytest.approx(2.0, abs=0.15)

    def test_several_times_add_up(self) -> None:
        began = self.now()
        for _ in range(3):
            self.hold_up(1.0)
            self.run_on_time(0.5)

        assert self.lateness.late_seconds(began) == pytest.approx(3.0, abs=0.4)

    def test_only_lateness_since_the_time_asked_for_counts(self) -> None:
        self.hold_up(2.0)
        self.run_on_time(1.0)
        middle = self.now()
        self.hold_up(4.0)

        assert self.lateness.late_seconds(middle - 2.0) == pytest.approx(5.0, abs=0.3)
        assert self.lateness.late_seconds(middle) == pytest.approx(4.0, abs=0.15)
        assert self.lateness.late_seconds(middle + 1.0) == pytest.approx(3.0, abs=0.15)

    def test_lateness_is_never_more_than_the_time_that_passed(self) -> None:
        self.hold_up(5.0)
        self.run_on_time(0.5)

        for back in (0.1, 0.5, 1.0, 3.0):
            assert 0 <= self.lateness.late_seconds(self.now() - back) <= back
