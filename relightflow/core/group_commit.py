"""One thread that does what many tasks ask, as many requests at a time as have gathered.

This is group commit: while the thread makes one batch durable, the next one gathers. A request is
answered only after its whole batch has been done, so an answer means durable.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Generic, TypeVar

Request = TypeVar("Request")
Answer = TypeVar("Answer")

COMMIT_DELAY = 0.001
"""Seconds for which a busy writer to disk waits for more requests before it commits them: a commit takes as much
processor time as several requests."""

_Waiting = tuple[Request, "asyncio.Future[Answer] | Future[Answer]"]


class GroupCommit(Generic[Request, Answer]):
    """`work` gets the gathered requests and gives an answer, or an exception, for each."""

    def __init__(
        self,
        work: Callable[[Sequence[Request]], Sequence[Answer | Exception]],
        name: str,
        largest: int = 256,
        linger: float = 0.0,
        only_when_busy: bool = False,
    ) -> None:
        """`linger`: seconds for which what tasks ask waits for more of its kind; for what nobody is in a
        hurry for, since every wake-up of the thread costs as much as a small request. `only_when_busy`:
        only where the batch before had several requests, so that a lone task never waits."""
        self._work = work
        self._linger = linger
        self._only_when_busy = only_when_busy
        self._busy = False
        """Whether the last batch that tasks asked for had several requests."""
        self._largest = largest
        self._asked: list[_Waiting[Request, Answer]] = []
        self._enqueued: list[_Waiting[Request, Answer]] = []
        self._queue: queue.SimpleQueue[list[_Waiting[Request, Answer]] | None] = queue.SimpleQueue()
        self._asker: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)
        self._thread.start()

    async def ask(self, request: Request) -> Answer:
        """Hand in a request from the event loop. Cancelling the wait does not undo the request."""
        return await self.hand_in(request)

    def hand_in(self, request: Request) -> asyncio.Future[Answer]:
        """The same for somebody who will wait for the answer later, or with others."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        with self._turn:
            self._refuse_after_the_end()
            if not self._asked or self._asker is not loop:
                # one wake-up for all that is asked in one turn, or in a while
                if self._linger and (self._busy or not self._only_when_busy):
                    loop.call_later(self._linger, self.flush)
                else:
                    loop.call_soon(self.flush)
                self._asker = loop
            self._asked.append((request, future))
            full = self._linger and len(self._asked) >= self._largest
        if full:
            self.flush()
        return future

    def ask_and_wait(self, request: Request) -> Answer:
        """Hand in a request from ordinary code and block until it is done."""
        future: Future[Answer] = Future()
        self._put((request, future))
        return future.result()

    def tell(self, request: Request) -> None:
        """Hand in a request whose answer nobody waits for."""
        self._put((request, Future()))

    def enqueue(self, request: Request) -> None:
        """Hand in a request that is in no hurry: it rides with the next one, or with the end."""
        with self._turn:
            self._refuse_after_the_end()
            self._enqueued.append((request, Future()))

    def close(self) -> None:
        """Do what was handed in, then stop. Asking afterwards raises RuntimeError."""
        with self._turn:
            if not self._closed:
                self._closed = True
                self._queue.put(self._with_enqueued(self._asked))
                self._queue.put(None)
        self._thread.join()

    def flush(self) -> None:
        """Let what has gathered be done now."""
        with self._turn:
            if self._asked and not self._closed:
                self._busy = len(self._asked) > 1
                self._queue.put(self._with_enqueued(self._asked))
                self._asked = []

    def _put(self, waiting: _Waiting[Request, Answer]) -> None:
        with self._turn:
            self._refuse_after_the_end()
            self._queue.put(self._with_enqueued([waiting]))

    def _with_enqueued(
        self, waiting: list[_Waiting[Request, Answer]]
    ) -> list[_Waiting[Request, Answer]]:
        riding, self._enqueued = self._enqueued, []
        return riding + waiting

    def _refuse_after_the_end(self) -> None:
        if self._closed:  # nobody would ever answer
            raise RuntimeError(f"the thread '{self._thread.name}' is closed")

    def _loop(self) -> None:
        last = False
        while not last:
            waiting, last = self._gather()
            for start in range(0, len(waiting), self._largest):
                batch = waiting[start : start + self._largest]
                self._answer(batch, self._do([request for request, _ in batch]))

    def _gather(self) -> tuple[list[_Waiting[Request, Answer]], bool]:
        """All that has been handed in; waits for the first. True: nothing comes after."""
        handed = self._queue.get()
        waiting: list[_Waiting[Request, Answer]] = []
        while handed is not None:
            waiting += handed
            try:
                handed = self._queue.get_nowait()
            except queue.Empty:
                return waiting, False
        return waiting, True

    def _do(self, requests: list[Request]) -> Sequence[Answer | Exception]:
        try:
            answers = self._work(requests)
        except Exception as error:
            return [error] * len(requests)
        if len(answers) != len(requests):  # somebody would wait for ever
            wrong = ValueError(f"{len(answers)} answers to {len(requests)} request(s)")
            return [wrong] * len(requests)
        return answers

    def _answer(
        self, batch: list[_Waiting[Request, Answer]], answers: Sequence[Answer | Exception]
    ) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Answer], object]]] = {}
        for (_, future), answer in zip(batch, answers, strict=True):
            if isinstance(future, Future):
                _settle(future, answer)
            else:
                by_loop.setdefault(future.get_loop(), []).append((future, answer))
        for loop, settled in by_loop.items():
            with suppress(RuntimeError):  # the loop was closed: nobody waits there any more
                loop.call_soon_threadsafe(_settle_all, settled)


def _settle_all(settled: list[tuple[asyncio.Future[Answer], object]]) -> None:
    for future, answer in settled:
        _settle(future, answer)


def _settle(future: asyncio.Future[Answer] | Future[Answer], answer: object) -> None:
    if future.done():  # the task that asked was cancelled; what it asked for is done all the same
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)  # type: ignore[arg-type]  # an Answer, by `work`'s contract
