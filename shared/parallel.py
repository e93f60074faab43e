"""Run commands side by side, each in a process of its own; none outlives whoever waits for them."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

Job = TypeVar("Job")
WIDE = {"COLUMNS": "1000"}  # whoever shows a command's lines breaks them, and not the command


def in_parallel(
    jobs: Iterable[tuple[Job, Sequence[str]]],
    workers: int,
    says: Callable[[Job, str], None],
    ended: Callable[[Job, int], None],
    every_second: Callable[[], None] = lambda: None,
) -> None:
    """Run commands, so many at a time, and return when all have ended.

    If this is interrupted, or one of the functions raises, all that run are told to end, and waited for.

    Args:
        jobs: what each command is for, and the command; they begin in this order.
        workers: how many run at a time.
        says: gets each line that a command prints.
        ended: gets the exit code of each command, as it ends.
        every_second: is called as long as commands run.
    """
    try:
        asyncio.run(_run_all(jobs, workers, says, ended, every_second))
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
    except asyncio.CancelledError:  # told to end
        raise KeyboardInterrupt from None


async def _run_all(
    jobs: Iterable[tuple[Job, Sequence[str]]],
    workers: int,
    says: Callable[[Job, str], None],
    ended: Callable[[Job, int], None],
    every_second: Callable[[], None],
) -> None:
    slots = asyncio.Semaphore(workers)

    async def run(job: Job, command: Sequence[str]) -> None:
        async with slots:
            code = await _run(command, lambda line: says(job, line))
        ended(job, code)

    async def tick() -> None:
        while True:
            every_second()
            await asyncio.sleep(1)

    main, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert main is not None  # noqa: S101 - this is it
    loop.add_signal_handler(signal.SIGTERM, main.cancel)
    async with asyncio.TaskGroup() as group:
        ticking = group.create_task(tick())
        running = [group.create_task(run(job, command)) for job, command in jobs]
        await asyncio.gather(*running)
        ticking.cancel()


async def _run(command: Sequence[str], says: Callable[[str], None]) -> int:
    """Run one command to its end; return its exit code."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | WIDE,
        start_new_session=True,  # Ctrl-C reaches this process, which then ends them in good order
    )
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    try:
        async for line in process.stdout:
            says(line.decode().rstrip())
        return await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.communicate()
