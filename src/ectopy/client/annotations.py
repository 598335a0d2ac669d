"""What people say of beats, as typed calls."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from ectopy.client.calls import Calls, json_of, path_of
from ectopy.wire import Annotate, AnnotationOut, AnnotationsOut


class AnnotationCalls(Calls):
    """The part of `Client` about annotations."""

    async def annotate(self, stream: str, said: Annotate) -> AnnotationOut:
        """Say of which class a beat is."""
        path = path_of(stream, "annotations")
        return await self._ask(AnnotationOut.model_validate_json, "POST", path, **json_of(said))

    def annotations(
        self, stream: str, epoch: int | None = None, *, after: int | None = None
    ) -> AsyncGenerator[AnnotationOut, None]:
        """What was said, in that order: of one sample the newest holds."""
        path = path_of(stream, "annotations")
        return self._pages(AnnotationsOut.model_validate_json, path, after=after, epoch=epoch)
