"""How much in how much time."""

from __future__ import annotations


class Bucket:
    """Bytes that flow in at ``rate`` a second, at most ``most`` saved up. ``now`` is any clock in seconds."""

    def __init__(self, rate: float, most: float) -> None:
        self.rate, self.most = rate, most
        self._left = most
        self._at: float | None = None

    def take(self, amount: float, now: float) -> bool:
        """Take ``amount`` if it is there."""
        self._fill(now)
        if amount > self._left:
            return False
        self._left -= amount
        return True

    def owe(self, amount: float, now: float) -> float:
        """Take ``amount`` in any case; how many seconds to wait until it is paid for."""
        self._fill(now)
        self._left -= amount
        return max(0.0, -self._left / self.rate)

    def _fill(self, now: float) -> None:
        if self._at is not None:
            self._left = min(self.most, self._left + (now - self._at) * self.rate)
        self._at = now
