"""Has sources of metadata asked again when it is their turn, by a process of its own.

Reading a federation's metadata takes a second and hundreds of megabytes, which no worker should
keep. One process looks whose turn it is, however many workers there are, and begins
`broker metadata refresh --due`; what that puts in force, workers see by the registry's version.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence

LOOK_SECONDS = 60.0
LONGEST_SECONDS = 1800.0
"""After which a refresh that hangs is ended; the next look begins another."""


class RefreshSchedule:
    """Begins refreshes until it is cancelled.

    Args:
        is_due: whether some source's turn has come; cheap, blocks, must not raise.
        command, environment: of the process that asks them.
        draw: a random number from 0 to 1, so that brokers do not look in step.
    """

    def __init__(
        self,
        *,
        is_due: Callable[[], bool],
        command: Sequence[str],
        environment: Mapping[str, str],
        draw: Callable[[], float],
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._is_due = is_due
        self._command = command
        self._environment = environment
        self._draw = draw
        self._look_seconds = look_seconds

    async def run(self) -> None:
        """Look now and then, and refresh what is due."""
        while True:
            await asyncio.sleep(self._look_seconds * (0.5 + self._draw()))
            if await asyncio.to_thread(self._is_due):
                await self.refresh()

    async def refresh(self) -> None:
        """Run one refresh; it says for itself in the log how it went."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            env=dict(self._environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                await process.wait()
        except TimeoutError:
            pass  # ended below; the log has no line of it, and the source stays due
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
