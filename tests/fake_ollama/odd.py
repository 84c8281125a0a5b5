"""The odd behaviours of a server, each by a switch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Odd:
    """What goes wrong; everything is off at first."""

    error_in_stream: str | None = None  # a line with this error inside a 200
    cut_before_success: bool = False  # the stream ends without its last line
    splits_lines: bool = False  # chunks end in the middle of lines
    refuses_digest: bool = False  # an upload is told that its digest is another one
    reset_at_byte: int | None = None  # the connection breaks after so many bytes of an upload
    full_at_byte: int | None = None  # the disk is full after so many bytes of an upload
    repacks: bool = False  # the stored blob has another digest than the uploaded one
    wrong_template: str | None = None  # a Go template that was detected wrongly, in place of the sent one
    loses_parameter: str | None = None  # a parameter that is not stored
    status: int | None = None  # every answer but the version's has this status
    seconds_silent: float = 0.0  # before every answer but the version's
    is_html: bool = False  # something else answers: a page in place of JSON
    foreign_host: bool = False  # 403, as for a Host header that is not loopback
    num_ctx: int | None = None  # the context that is used, whatever the parameters say
    never_stops: bool = False  # end tokens and stop words are not heeded
    wrong_length: bool = False  # a JSON answer announces more bytes than it has
    lacks_fields: tuple[str, ...] = ()  # left out of every JSON answer, as by a version that did not know them
    detects_template: str | None = None  # where no template is sent: this Go template, and a line that says so
    sets_renderer: str | None = None  # a renderer that the server chooses by itself
    mixes_layouts: bool = False  # manifests-v2 holds a list in place of a link, and a shadow of the repacked file
    forgets_weights: bool = False  # answers come from another model of the store, the first one
