"""Finds the highest and the lowest water of each day in a list of gauge readings."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Reading:
    when: datetime
    metres: float


def extremes(readings):
    days = defaultdict(list)
    for reading in readings:
        days[reading.when.date()].append(reading)
    for day, of_day in sorted(days.items()):
        low = min(of_day, key=lambda reading: reading.metres)
        high = max(of_day, key=lambda reading: reading.metres)
        yield day, low, high


if __name__ == "__main__":
    sample = [Reading(datetime(2026, 5, 1, hour), hour % 7 * 0.4) for hour in range(24)]
    for day, low, high in extremes(sample):
        print(f"{day}: {low.metres:.1f} m to {high.metres:.1f} m")
