"""What travels as JSON about what people say of beats."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from ectopy.recording import AamiClass
from ectopy.wire.alarms import Author
from ectopy.wire.messages import Count, Id, Index, Message, Page


class Annotate(Message):
    """The beat at a sample is of this class."""

    epoch: Count
    sample: Index = Field(description="Of the beat, as its verdict has it")
    aami: AamiClass
    replaced: AamiClass | None = Field(default=None, description="The class that it had for who says this")
    author: str = Author
    note: str = Field(default="", max_length=200)


class AnnotationOut(Annotate):
    """`id` counts over all streams; of one sample the newest holds."""

    id: int
    stream: Id
    at: datetime


class AnnotationsOut(Page):
    items: list[AnnotationOut]
