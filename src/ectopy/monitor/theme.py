"""How Streamlit's own parts look, light and dark; the wall's colours stand beside it in `wall/wall.css`."""

from __future__ import annotations

_FONT = "system-ui, sans-serif"  # the machine's own: no font is loaded from anywhere

THEME: dict[str, object] = {
    "theme.font": _FONT,
    "theme.baseFontSize": 15,
    "theme.light.primaryColor": "#0b5fa5",
    "theme.light.backgroundColor": "#ffffff",
    "theme.light.secondaryBackgroundColor": "#f1f4f7",
    "theme.light.textColor": "#17202a",
    "theme.light.codeTextColor": "#17202a",
    "theme.dark.primaryColor": "#7cc0f5",
    "theme.dark.backgroundColor": "#0f1419",
    "theme.dark.secondaryBackgroundColor": "#1a222b",
    "theme.dark.textColor": "#e8edf2",
    "theme.dark.codeTextColor": "#e8edf2",
}
