"""Answers that are streamed: pieces on their way from the decoding thread to the event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from python_stages.backends.local.completions import Asked, Tally
from python_stages.backends.local.decoder import Decoder
from python_stages.training.answers import Completion
from python_stages.training.asking import Sampling


class Relay:
    """Hands pieces from one thread to another; one relay for each request."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._loop = asyncio.get_running_loop()
        self._pieces: asyncio.Queue[tuple[int, Completion] | None] = asyncio.Queue()
        self._is_wanted = True

    async def pieces(
        self, model_id: str, messages: list[dict[str, str]], sampling: Sampling
    ) -> AsyncIterator[tuple[int, Completion]]:
        """Yield the pieces of all choices, one choice after another, each with its number.

        Raises: what decoding raises.
        """
        decoding = asyncio.create_task(self._decode(model_id, messages, sampling))
        try:
            while (item := await self._pieces.get()) is not None:
                yield item
            await decoding
        finally:
            # Who listened may have gone: the thread stops at its next piece.
            self._is_wanted = False
            decoding.cancel()

    async def _decode(
        self, model_id: str, messages: list[dict[str, str]], sampling: Sampling
    ) -> None:
        try:
            for index in range(sampling.n):
                # Each choice is drawn from a seed of its own.
                one = sampling.for_choice(index)
                decoded = self._decoder.stream(model_id, messages, one, self._taker(index))
                await asyncio.wrap_future(decoded)
        finally:
            # Behind the pieces that the thread has sent on the same way.
            self._loop.call_soon_threadsafe(self._pieces.put_nowait, None)

    def _taker(self, index: int) -> Callable[[Completion], bool]:
        def take(piece: Completion) -> bool:
            self._loop.call_soon_threadsafe(self._pieces.put_nowait, (index, piece))
            return self._is_wanted

        return take


async def chunks(
    decoder: Decoder, asked: Asked, messages: list[dict[str, str]], sampling: Sampling
) -> AsyncIterator[dict[str, Any]]:
    """Yield the chunks of a streamed answer: openings, pieces, endings, and the usage if asked."""
    tally = Tally()
    for index in range(sampling.n):
        yield asked.opening(index)
    async for index, piece in Relay(decoder).pieces(asked.model, messages, sampling):
        tally.add(piece)
        if piece.text or piece.tokens:
            yield asked.piece(index, piece)
        if piece.finish_reason is not None:
            yield asked.ending(index, piece.finish_reason)
    if asked.includes_usage:
        yield asked.usage(tally)
