"""An address that notifications go to: it carries passwords, so it never shows itself whole."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import SecretStr

# Their host is no secret; elsewhere (slack://TOKEN/..., ntfy://topic) it is one.
_TELLS_HOST = frozenset({"http", "https", "json", "jsons", "form", "forms", "mailto", "mailtos"})
_SHORTEST = 4  # a shorter part of an address is in many a word, and no secret


class Address(SecretStr):
    """A URL as Apprise takes it: `get_secret_value()` is the whole of it; printed, it shows scheme and, at most, host.

    Equal addresses have equal names, in every run; a name gives nothing away.
    """

    @property
    def scheme(self) -> str:
        """In small letters; empty where there is none."""
        found = re.match(r"\s*([A-Za-z0-9+.-]+)://", self.get_secret_value())
        return found[1].lower() if found else ""

    @property
    def name(self) -> str:
        """What the store calls it. Slow to make, so that nobody finds a password by trying names."""
        digest = hashlib.pbkdf2_hmac("sha256", self.get_secret_value().encode(), b"ectopy", 100_000)
        return f"{self.scheme}-{digest.hex()[:12]}"

    def redact(self, text: str) -> str:
        """A text without the parts of this address that it doesn't show itself."""
        before, _, query = self.get_secret_value().partition("://")[2].partition("?")
        parts = re.split(r"[/:@#,]+", before)
        for _, value in parse_qsl(query, keep_blank_values=True):
            parts += [value, *re.split(r"[/:@,; ]+", value)]
        secrets = {form for part in parts for form in (part, unquote(part)) if len(form) >= _SHORTEST}
        for secret in sorted(secrets - set(self._host().split(":")), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    def _host(self) -> str:
        whole = self.get_secret_value()
        if self.scheme not in _TELLS_HOST:
            return ""
        try:
            parts = urlsplit(whole.strip())
            host = parts.netloc.rpartition("@")[2]
        except ValueError:
            return ""
        # a password with a slash in it: what looks like the host is the user
        return "" if "@" in parts.path + parts.query + parts.fragment and "@" not in parts.netloc else host

    def __str__(self) -> str:
        if not self.scheme:
            return "(an address without a scheme)"
        host = self._host()
        return f"{self.scheme}://{host}/..." if host else f"{self.scheme}://..."

    __repr__ = __str__
