"""A new project: the dbt files of this repository, which is such a project itself.

There is one copy of every file in git. The wheel carries them under `_project/` (pyproject.toml,
force-include); an editable install lies in a checkout and takes them from there.
"""

import re
import shutil
from pathlib import Path
from typing import Final

from python_stages.errors import ConfigError

# what a build reads, besides this package; the same list as in pyproject.toml
PARTS: Final = (
    ".gitignore",
    "dbt_project.yml",
    "expectations",
    "macros",
    "models",
    "profiles.yml",
    "sample_data",
    "tests/generic",
    "tests/transactions_sampled_within_kept.sql",
)
_PACKAGE: Final = Path(__file__).parents[1]
_README: Final = Path(__file__).with_name("project.md")
# the lines of dbt_project.yml that say the project's name: its own, and above configs
_OWN_NAME: Final = re.compile(r"^(name: |  )sealtune(:?)$", re.MULTILINE)


def source() -> Path:
    """Return the folder that holds the parts of a project.

    Raises:
        ConfigError: neither the wheel's copy nor a checkout is there.
    """
    for folder in (_PACKAGE / "_project", _PACKAGE.parent):
        if all((folder / part).exists() for part in PARTS):
            return folder
    raise ConfigError(
        "this installation lacks the files of a new project; install sealtune again, from its wheel"
    )


def lay_out(folder: Path, name: str | None = None) -> str:
    """Write a new project.

    Args:
        folder: where to; it is made, or is there and empty.
        name: of the dbt project; None makes one of the folder's name.

    Returns:
        The project's name.

    Raises:
        ConfigError: the name is none for dbt, or the folder holds something.
    """
    name = _checked(name or folder.absolute().name.lower().replace("-", "_"))
    parts = source()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_empty = not any(folder.iterdir())
    except OSError as error:
        raise ConfigError(
            f"cannot make a project in {folder}: {error.strerror}; name another folder"
        ) from None
    if not is_empty:
        raise ConfigError(f"{folder} is not empty; nothing was written, name a new folder")
    for part in PARTS:
        target = folder / part
        target.parent.mkdir(exist_ok=True)
        if (parts / part).is_dir():
            shutil.copytree(parts / part, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(parts / part, target)
    settings = folder / "dbt_project.yml"
    named = _OWN_NAME.sub(rf"\g<1>{name}\2", settings.read_text("utf-8"))
    settings.write_text(named, encoding="utf-8")
    readme = _README.read_text("utf-8").replace("<< name >>", name)
    (folder / "README.md").write_text(readme, encoding="utf-8")
    return name


def _checked(name: str) -> str:
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", name) or name.startswith("dbt"):
        raise ConfigError(
            "a project's name has lower-case letters, digits and underscores, begins with no digit "
            "and not with dbt; say it with --name"
        )
    return name
