"""Names of models as Ollama has them: `[host/][namespace/]model[:tag]`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from llmlora.core.errors import NotFound

PREFIX = "ollama:"
PUBLIC_HOSTS = ("registry.ollama.ai", "ollama.com")  # one and the same, by the older and by the newer layout
DEFAULT_NAMESPACE, DEFAULT_TAG = "library", "latest"
MAX_PART = 80
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}")


@dataclass(frozen=True)
class OllamaName:
    """A whole name; `str()` leaves out what Ollama adds by itself, but never the tag."""

    host: str
    namespace: str
    model: str
    tag: str

    @classmethod
    def parse(cls, text: str) -> OllamaName:
        """Read a name, with or without `ollama:` in front; raises NotFound(`ollama_name_invalid`)."""
        rest = text.removeprefix(PREFIX)
        head, slash, last = rest.rpartition("/")
        model, _, tag = last.partition(":")
        parts = head.split("/") if slash else []
        namespace = parts.pop() if parts else DEFAULT_NAMESPACE
        host = parts.pop() if parts else PUBLIC_HOSTS[0]
        name = cls(host, namespace, model, tag or DEFAULT_TAG)
        fits = all(_PART.fullmatch(part) and len(part) <= MAX_PART for part in (namespace, model, name.tag))
        if parts or not fits or not _HOST.fullmatch(host):
            raise NotFound("ollama_name_invalid", name=text[:200])
        return name

    @property
    def key(self) -> tuple[str, ...]:
        """What makes two names one: letters large or small, and both spellings of the public host."""
        host = PUBLIC_HOSTS[0] if self.host in PUBLIC_HOSTS else self.host
        return tuple(part.lower() for part in (host, self.namespace, self.model, self.tag))

    def __str__(self) -> str:
        if self.host not in PUBLIC_HOSTS:
            return f"{self.host}/{self.namespace}/{self.model}:{self.tag}"
        if self.namespace != DEFAULT_NAMESPACE:
            return f"{self.namespace}/{self.model}:{self.tag}"
        return f"{self.model}:{self.tag}"
