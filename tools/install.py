"""Make .venv with Flower, every plugin and the developer's tools, by uv where it can be had, else by pip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


# As pip does it: where Python may not write that itself, each start would compile everything again.
_UV = ("--compile-bytecode",)


def main() -> None:
    """Bring .venv up to date; say in one sentence what is missing when that fails."""
    create_venv()
    editable = [word for folder in folders() for word in ("-e", str(folder))]
    group = ["--group", str(ROOT / "pyproject.toml") + ":dev"]
    try:
        subprocess.run([*installer(), *editable, *group], check=True, cwd=ROOT)
    except subprocess.CalledProcessError as error:
        sys.exit(f"The packages could not be installed (exit code {error.returncode}); the lines above say why.")


def folders() -> Sequence[Path]:
    """Return the folder of every distribution."""
    return [ROOT, ROOT / "flower_plugins", *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]


def create_venv() -> None:
    """Make .venv unless there is one whose Python runs."""
    if runs([PYTHON, "-c", "import sys; sys.exit(sys.version_info < (3, 10))"]):
        return
    try:
        venv.create(VENV, clear=True, symlinks=True, with_pip=True)
    except subprocess.CalledProcessError:
        sys.exit("This Python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv")


def installer() -> list[str]:
    """Return the command that installs into .venv: uv from the PATH, uv from the registry, or pip."""
    found = shutil.which("uv")
    if found and knows_groups([found, "pip", "install", "--help"]):
        return [found, "pip", "install", *_UV, "--python", str(PYTHON)]
    if not runs([PYTHON, "-m", "pip", "--version"]):
        subprocess.run([PYTHON, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    uv = VENV / "bin" / "uv"
    if not os.environ.get("FLOWER_WITHOUT_UV") and (uv.exists() or runs([*pip, "uv"])):
        return [str(uv), "pip", "install", *_UV, "--python", str(PYTHON)]
    if not knows_groups([*pip, "--help"]):
        subprocess.run([*pip, "--upgrade", "pip>=25.1"], check=True)
    return pip


def knows_groups(command: Sequence[str | Path]) -> bool:
    """Tell whether an installer's help mentions dependency groups."""
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return "--group" in answer.stdout


def runs(command: Sequence[str | Path]) -> bool:
    """Tell whether a command ends well; its output is dropped."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    main()
