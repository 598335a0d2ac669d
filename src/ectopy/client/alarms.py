"""Alarms, and what people do about them, as typed calls."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any, Literal

from pydantic import TypeAdapter

from ectopy.alarms import Paused
from ectopy.client.calls import Calls, path_of
from ectopy.wire import AlarmOut, Alarms, Findings, FoundOut, PauseOut, RuleOut

_PAUSES = TypeAdapter(list[PauseOut])
_RULES = TypeAdapter(list[RuleOut])


class AlarmCalls(Calls):
    """The part of `Client` about alarms. What an act must be, the service says."""

    def alarms(
        self, state: Literal["open", "all"] = "open", stream: str | None = None
    ) -> AsyncGenerator[AlarmOut, None]:
        """Alarms as they stand, in the order in which they were raised; `open`: those on or latched."""
        return self._pages(Alarms.model_validate_json, "/v1/alarms", state=state, stream=stream)

    async def alarm(self, alarm: int) -> AlarmOut:
        """One of them, by its id."""
        return await self._ask(AlarmOut.model_validate_json, "GET", f"/v1/alarms/{alarm}")

    def alarm_changes(self, stream: str, after: int | None = None) -> AsyncGenerator[AlarmOut, None]:
        """What changed of a stream's alarms, in that order: each time the alarm as it stood then."""
        return self._pages(Alarms.model_validate_json, path_of(stream, "alarms"), after=after)

    async def newest_change(self, stream: str) -> int:
        """The `change` of a stream's alarms that came last; 0 where there was none."""
        params = {"newest": True}
        page = await self._ask(Alarms.model_validate_json, "GET", path_of(stream, "alarms"), params=params)
        return page.items[0].change if page.items else 0

    def findings(
        self, stream: str, epoch: int | None = None, *, after: int | None = None
    ) -> AsyncGenerator[FoundOut, None]:
        """What was found, in the order told: when it begins, and again when it ends."""
        return self._pages(Findings.model_validate_json, path_of(stream, "findings"), after=after, epoch=epoch)

    async def newest_finding(self, stream: str) -> int:
        """The id of what was found last; 0 where there is nothing."""
        params = {"newest": True}
        page = await self._ask(Findings.model_validate_json, "GET", path_of(stream, "findings"), params=params)
        return page.items[0].id if page.items else 0

    async def acknowledge(self, alarm: int, author: str) -> AlarmOut:
        """Somebody has seen to it: no reminder any more, and a latched alarm is off."""
        act = {"author": author}
        return await self._ask(AlarmOut.model_validate_json, "POST", f"/v1/alarms/{alarm}/acknowledge", json=act)

    async def pause(
        self, what: Paused, author: str, reason: str, seconds: int, stream: str | None = None
    ) -> list[PauseOut]:
        """Pause the audio, or the alarms, of a stream or of all, for two hours at most; all pauses that last."""
        act = {"what": what, "stream": stream, "author": author, "reason": reason, "seconds": seconds}
        return await self._ask(_PAUSES.validate_json, "POST", "/v1/pauses", json=act)

    async def resume(self, what: Paused, author: str, stream: str | None = None) -> list[PauseOut]:
        """End a pause before its time; all that last."""
        act = {"what": what, "stream": stream, "author": author}
        return await self._ask(_PAUSES.validate_json, "POST", "/v1/pauses/end", json=act)

    async def pauses(self) -> list[PauseOut]:
        return await self._ask(_PAUSES.validate_json, "GET", "/v1/pauses")

    async def viewed(self) -> None:
        """Somebody watches: to be said every 30 s while that is so."""
        await self._request("POST", "/v1/viewers")

    async def rules(self, stream: str | None = None) -> list[RuleOut]:
        """The rules that hold for a stream; where none is named, for one that has none of its own."""
        path = "/v1/rules" if stream is None else path_of(stream, "rules")
        return await self._ask(_RULES.validate_json, "GET", path)

    async def set_rules(self, stream: str, changes: Mapping[str, Mapping[str, Any]], author: str) -> list[RuleOut]:
        """A stream's own rules, in place of earlier changes: code -> any of enabled, priority, limit, on_s, notify."""
        act = {"author": author, "changes": {code: {**change} for code, change in changes.items()}}
        return await self._ask(_RULES.validate_json, "PUT", path_of(stream, "rules"), json=act)
