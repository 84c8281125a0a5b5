"""Which optional packages are installed, asked without importing any of them."""

from __future__ import annotations

from importlib import metadata

from llmlora.core.errors import PackageMissing

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


def require_packages() -> None:
    """Raise PackageMissing(packages_missing) before a worker is started, or a folder made for it, in vain."""
    missing = missing_packages()
    if missing:
        raise PackageMissing("packages_missing", packages=", ".join(missing), extra="train")
