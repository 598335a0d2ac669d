"""The rules as a table to read, so that a page never says anything else than the rules do."""

from __future__ import annotations

from ectopy.alarms.rules import COVERED_BY, HELD_BACK_BY, RULES, Rule

_HEAD = ("alarm", "raised when", "priority", "after", "over after", "latches", "notifies", "not beside")


def rules_table() -> str:
    """All rules as they hold where a stream has none of its own, as Markdown."""
    rows = [_HEAD, ("---",) * len(_HEAD), *map(_row, RULES)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(rule: Rule) -> tuple[str, ...]:
    beside = (*COVERED_BY.get(rule.code, ()), *filter(None, [HELD_BACK_BY.get(rule.code)]))
    return (
        rule.code,
        rule.reason(rule.limit).partition(" (limit")[0],
        rule.priority if rule.type == "physiological" else f"{rule.priority}, technical",
        f"{rule.on_s:g} s" if rule.on_s else "at once",
        f"{rule.off_s:g} s",
        _yes(rule.latches),
        _yes(rule.notify) if rule.enabled else "switched off",
        ", ".join(beside),
    )


def _yes(value: bool) -> str:
    return "yes" if value else ""
