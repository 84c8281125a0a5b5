"""What Ollama makes of a conversation with its own templates, by the rules of Go's text/template."""

from __future__ import annotations

import pytest

from llmlora.core.examples import Message
from llmlora.prepare.go_syntax import GoTemplateError
from llmlora.prepare.go_template import render_go

ASKED = [Message("user", "a"), Message("assistant", "b"), Message("user", "c")]
WITH_SYSTEM = [Message("system", "s"), *ASKED]
CHATML = """{{- if .Messages }}
{{- range $i, $_ := .Messages }}
{{- $last := eq (len (slice $.Messages $i)) 1 -}}
<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ if and (ne .Role "assistant") $last }}<|im_start|>assistant
{{ end }}
{{- end }}
{{- else }}
{{- if .System }}<|im_start|>system
{{ .System }}<|im_end|>
{{ end }}{{ if .Prompt }}<|im_start|>user
{{ .Prompt }}<|im_end|>
{{ end }}<|im_start|>assistant
{{ end }}{{ .Response }}{{ if .Response }}<|im_end|>{{ end }}"""
LEGACY = "{{ if .System }}<<{{ .System }}>>{{ end }}[{{ .Prompt }}]{{ .Response }}#"


def test_messages_are_gone_through() -> None:
    assert render_go(CHATML, ASKED) == (
        "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n<|im_start|>user\nc<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_a_template_without_messages_is_gone_through_turn_by_turn() -> None:
    assert render_go(LEGACY, ASKED) == "[a]b#[c]"
    assert render_go(LEGACY, WITH_SYSTEM) == "<<s>>[a]b#[c]"


def test_an_answer_is_added_where_a_template_has_none() -> None:
    assert render_go("Q: {{ .Prompt }}\nA: ", ASKED) == "Q: a\nA: bQ: c\nA: "


def test_turns_of_one_role_are_one() -> None:
    asked = [Message("system", "s"), Message("user", "a"), Message("user", "b"), Message("system", "t")]
    text = render_go("{{ .System }}|{{ range .Messages }}{{ .Role }}={{ .Content }};{{ end }}", asked)
    assert text == "s\n\nt|system=s;user=a\n\nb;system=t;"


EXPRESSIONS = {
    "{{ .System }}": "s",
    "{{- /* a comment */ -}} x": "x",
    "a {{- 1 -}} b": "a1b",
    "a {{ -1 }} b": "a -1 b",
    '{{ "q\\"\\n" }}{{ `r\\n` }}': 'q"\nr\\n',
    "{{ len .Messages }}": "4",
    '{{ (index .Messages 1).Content }}': "a",
    "{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}": "2",
    "{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}": "21",
    '{{ if eq .System "x" "s" }}yes{{ else }}no{{ end }}': "yes",
    '{{ if eq 1 2 }}a{{ else if or false .Tools }}b{{ else if not (and .System .Tools) }}c{{ end }}': "c",
    "{{ with .System }}{{ . }}{{ $.System }}{{ end }}": "ss",
    "{{ range .Tools }}x{{ else }}none{{ end }}": "none",
    "{{ range $m := slice .Messages 2 }}{{ $m.Role }} {{ end }}": "assistant user ",
    "{{ range $i, $m := .Messages }}{{ $i }}{{ end }}": "0123",
    '{{ range .Messages }}{{ if eq .Role "user" }}{{ continue }}{{ end }}{{ .Content }}{{ end }}': "sb",
    '{{ range .Messages }}{{ .Content }}{{ if eq .Role "user" }}{{ break }}x{{ end }};{{ end }}.': "s;a.",
    "{{ range $.Messages }}{{ range $.Messages }}{{ .Content }}{{ break }}{{ end }}{{ continue }}x{{ end }}": "ssss",
    "{{ .Messages | len }}{{ if gt (len .Messages) 3 }}+{{ end }}": "4+",
    "{{ false }}{{ nil }}{{ 1.5 }}": "false1.5",
}  # fmt: skip


@pytest.mark.parametrize("template", EXPRESSIONS)
def test_expressions(template: str) -> None:
    text = render_go(template + "{{ if false }}{{ .Messages }}{{ end }}", WITH_SYSTEM)
    assert text == EXPRESSIONS[template]


UNKNOWN = [
    "{{ template \"x\" }}", "{{ continue }}", "{{ if true }}{{ break }}{{ end }}", "{{ currentDate }}",
    "{{ if .System }}",
    "{{ end }}", "{{ .Messages }}", "{{ (.System }}", "{{ $nobody }}", "{{ $nobody = 1 }}", "{{ index .Messages 9 }}",
    "{{ 'a' }}", "{{ .System | 3 }}", "{{ if .System }}a{{ else }}b{{ else }}c{{ end }}", "x" * 200_000,
    "{{" + "(" * 99 + "1" + ")" * 99 + "}}", "{{ range .System }}{{ end }}",
]  # fmt: skip


@pytest.mark.parametrize("template", UNKNOWN)
def test_what_is_not_known_is_never_guessed(template: str) -> None:
    with pytest.raises(GoTemplateError):
        render_go(template + "{{ if false }}{{ .Messages }}{{ end }}", WITH_SYSTEM)
