"""When to try again, as values."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Doubling waits between attempts, up to a number of them."""

    attempts: int
    first_wait: timedelta
    longest_wait: timedelta

    def wait_before(self, attempt: int) -> timedelta | None:
        """Return the wait before `attempt`, counted from 2; None when there is to be no other.

        Raises:
            ValueError: `attempt` is below 2; nothing waits before the first.

        """
        first_repeated = 2
        if attempt < first_repeated:
            msg = f"attempt {attempt} has no wait before it"
            raise ValueError(msg)
        if attempt > self.attempts:
            return None
        # Past 2**20 any first wait is longer than any longest one, and timedelta would overflow.
        doubled = self.first_wait * (1 << min(attempt - first_repeated, 20))
        return min(doubled, self.longest_wait)


# A platform or forge that is being restarted is back within seconds; one that is down for a minute
# is a fact which the commit's author should see rather than wait for.
OUTSIDE_WORLD = RetryPolicy(
    attempts=8,
    first_wait=timedelta(milliseconds=100),
    longest_wait=timedelta(seconds=20),
)

# Of deliveries that could not be decided about: after 1, 2, 4 ... 60 minutes and then hourly, for
# a day in all. Outages of GitHub last hours at worst (https://www.githubstatus.com/history), and
# who pushed a day ago has found another way.
UNDECIDED = RetryPolicy(
    attempts=30,
    first_wait=timedelta(minutes=1),
    longest_wait=timedelta(hours=1),
)
