"""What people say of beats, as typed calls."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from ectopy.client.calls import PAGE, Calls, given, json_of, path_of
from ectopy.wire import Annotate, AnnotationOut, AnnotationsOut


class AnnotationCalls(Calls):
    """The part of `Client` about annotations."""

    async def annotate(self, stream: str, said: Annotate) -> AnnotationOut:
        """Say of which class a beat is."""
        path = path_of(stream, "annotations")
        return await self._ask(AnnotationOut.model_validate_json, "POST", path, **json_of(said))

    async def annotations(
        self, stream: str, epoch: int | None = None, *, after: int | None = None
    ) -> AsyncGenerator[AnnotationOut, None]:
        """What was said, in that order: of one sample the newest holds."""
        more = True
        while more:
            params = given(epoch=epoch, after=after, limit=PAGE)
            path = path_of(stream, "annotations")
            page = await self._ask(AnnotationsOut.model_validate_json, "GET", path, params=params)
            for one in page.items:
                yield one
            after, more = page.next, page.next is not None
