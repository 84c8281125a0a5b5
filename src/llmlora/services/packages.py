"""Which optional packages are installed, asked without importing any of them."""

from __future__ import annotations

import re
from importlib import metadata

from llmlora.core.errors import PackageMissing

_FLOOR = re.compile(r"([\w.-]+)[^;]*>=\s*([\d.]+)")
TRAIN_PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "accelerate",
    "safetensors",
    "tokenizers",
    "numpy",
    "jinja2",
    "gguf",
    "xllamacpp",
)


def package_version(name: str) -> str | None:
    """Return the version of an installed distribution, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def missing_packages() -> list[str]:
    """Return what a worker needs and this installation lacks."""
    return [name for name in TRAIN_PACKAGES if package_version(name) is None]


def outdated_packages() -> list[str]:
    """Return what is installed in a version older than llmlora's own metadata asks for, with both versions."""
    try:
        requirements = metadata.requires("llmlora") or []
    except metadata.PackageNotFoundError:
        return []  # run from a checkout that was never installed
    floors = {found[1]: found[2] for text in requirements if (found := _FLOOR.match(text))}
    installed = {name: package_version(name) for name in TRAIN_PACKAGES if name in floors}
    return [
        f"{name} {version} < {floors[name]}"
        for name, version in installed.items()
        if version is not None and _numbers(version) < _numbers(floors[name])
    ]


def _numbers(version: str) -> list[int]:
    """Return a version's leading numbers, without zeros at the end: 2.0 and 2 are the same."""
    leading = version[: len(version) - len(version.lstrip("0123456789."))]
    numbers = [int(number) for number in leading.split(".") if number]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return numbers


def require_packages() -> None:
    """Raise PackageMissing(packages_missing) before a worker is started, or a folder made for it, in vain."""
    missing = missing_packages()
    if missing:
        raise PackageMissing("packages_missing", packages=", ".join(missing), extra="train")
