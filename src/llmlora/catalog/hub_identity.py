"""Who this machine is to the Hugging Face Hub: the token that Hugging Face's own tools use, and whose it is."""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from llmlora.catalog.hub_cache import hub_home
from llmlora.core.addresses import without_credentials

HUB: Final = "https://huggingface.co"
SECONDS: Final = 3.0
LONGEST: Final = 1 << 20  # bytes of an answer

State = Literal["anonymous", "offline", "known", "refused", "unreachable"]


@dataclass(frozen=True)
class HubIdentity:
    """`anonymous`: no token, and nothing was asked. `known`: `name` is the account of the token."""

    state: State
    url: str
    name: str = ""


def hub_identity() -> HubIdentity:
    """Ask the Hub whose token this is, for 3 seconds at most; without a token, or with `HF_HUB_OFFLINE`, ask nobody."""
    endpoint = (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")
    url = without_credentials(endpoint)
    token = _token()
    if token is None:
        return HubIdentity("anonymous", url)
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
        return HubIdentity("offline", url)
    try:
        return HubIdentity("known", url, str(_asked(endpoint, token)["name"]))
    except urllib.error.HTTPError as error:
        error.close()
        return HubIdentity("refused" if error.code in (401, 403) else "unreachable", url)
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return HubIdentity("unreachable", url)


def _token() -> str | None:
    """Return the token: `HF_TOKEN`, else the file that `hf auth login` writes."""
    named = os.environ.get("HF_TOKEN", "").strip()
    path = Path(os.environ.get("HF_TOKEN_PATH") or hub_home() / "token").expanduser()
    try:
        return named or path.read_text(encoding="utf-8").strip() or None
    except (OSError, ValueError):
        return None


def _asked(url: str, token: str) -> Any:
    request = urllib.request.Request(f"{url}/api/whoami-v2", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.build_opener(_NoRedirect).open(request, timeout=SECONDS) as answer:
        return json.loads(answer.read(LONGEST))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows nowhere: a token goes to nobody but the Hub that was named."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Refuse."""
