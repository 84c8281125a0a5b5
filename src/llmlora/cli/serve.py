"""`llmlora serve`: the workspace over HTTP, until Ctrl-C."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from llmlora.cli.output import options, say
from llmlora.core.env_file import load_env_file
from llmlora.core.errors import Conflict
from llmlora.core.locale import set_language, translate
from llmlora.core.server import read_server_settings
from llmlora.services.serve import serve as run_server
from llmlora.services.token import stored_token


def serve(
    host: Annotated[str | None, typer.Option("--host", help=translate("cli.serve.host"))] = None,
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help=translate("cli.serve.port"))] = None,
    allowed_host: Annotated[
        list[str] | None, typer.Option("--allowed-host", metavar="HOST", help=translate("cli.serve.allowed_host"))
    ] = None,
    ollama_port: Annotated[
        int | None, typer.Option("--ollama-port", min=0, max=65535, help=translate("cli.serve.ollama_port"))
    ] = None,
    no_auth: Annotated[bool, typer.Option("--no-auth", help=translate("cli.serve.no_auth"))] = False,
    workspace: Annotated[
        Path | None, typer.Option("--workspace", metavar="DIR", help=translate("cli.serve.workspace"))
    ] = None,
    env_file: Annotated[
        Path | None, typer.Option("--env-file", metavar="FILE", help=translate("cli.serve.env_file"))
    ] = None,
) -> None:
    """Serve the workspace; the address with its token is the one line of stdout."""
    if env_file is not None:
        load_env_file(env_file)
        set_language(options.language)
    if workspace is not None:
        os.environ["LLMLORA_HOME"] = str(workspace.expanduser().absolute())
    settings = read_server_settings(
        host=host,
        port=port,
        allowed_hosts=tuple(allowed_host) if allowed_host else None,
        ollama_port=ollama_port,
    )
    try:
        run_server(settings.without_token() if no_auth else settings, _ready)
    except Conflict as error:
        if error.code == "server_running" and stored_token():
            _print_address(str(error.params["url"]), stored_token())
        raise


def _ready(url: str, token: str | None, ollama_url: str | None) -> None:
    say("cli.serve.ready")
    _print_address(url, token)
    if ollama_url is not None:
        say("cli.serve.ollama", url=ollama_url)
    say("cli.serve.stop")


def _print_address(url: str, token: str | None) -> None:
    sys.stdout.write(f"{url}/?token={token}\n" if token else f"{url}/\n")
    sys.stdout.flush()
