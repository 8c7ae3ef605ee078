"""The wheel check finds what is wrong with a wheel, and knows which wheels a change concerns."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import wheels
from dists import find_dists

METADATA = "Name: flower-api\nVersion: 3.0.0\nRequires-Dist: flower-plugins==3.0.0\nRequires-Dist: jinja2>=3\n"
CONTENTS = {
    "flower_api/__init__.py": "",
    "flower_api/py.typed": "",
    "flower_api-3.0.0.dist-info/METADATA": METADATA,
    "flower_api-3.0.0.dist-info/licenses/LICENSE": "",
}
API = next(dist for dist in find_dists() if dist.name == "flower-api")


def wheel(folder: Path, contents: dict[str, str]) -> Path:
    path = folder / "a.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in contents.items():
            archive.writestr(name, text)
    return path


def test_a_good_wheel_passes(tmp_path: Path) -> None:
    assert wheels.wheel_faults(wheel(tmp_path, CONTENTS), API) == []


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("flower_api/py.typed", None, "no py.typed"),
        ("flower_api-3.0.0.dist-info/licenses/LICENSE", None, "no licence"),
        ("flower_api/tests/test_a.py", "", "holds a test: flower_api/tests/test_a.py"),
        ("tests/conftest.py", "", "holds tests/conftest.py"),
        ("flower_api-3.0.0.dist-info/METADATA", METADATA.replace("3.0.0", "3.1", 1), "calls itself flower-api 3.1"),
        (
            "flower_api-3.0.0.dist-info/METADATA",
            METADATA.replace("plugins==3.0.0", "plugins>=3"),
            "does not pin flower-plugins>=3",
        ),
    ],
)
def test_a_faulty_wheel_is_found(tmp_path: Path, name: str, text: str | None, complaint: str) -> None:
    contents = {key: value for key, value in CONTENTS.items() if key != name}
    if text is not None:
        contents[name] = text
    assert wheels.wheel_faults(wheel(tmp_path, contents), API) == [complaint]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("docs/architecture.md", set()),
        ("core/flower/app/host.py", {"flower"}),
        ("pyproject.toml", {"flower"}),
        ("plugins/api/src/flower_api/plugin.py", {"flower-api"}),
        ("plugins/auth_okta/README.md", {"flower-auth-okta"}),
        ("flower_plugins/src/flower_plugins/web.py", {dist.name for dist in find_dists()}),
        ("LICENSE", {dist.name for dist in find_dists()}),
    ],
)
def test_a_change_concerns_the_wheels_it_may_break(path: str, names: set[str]) -> None:
    assert wheels.affected([path], find_dists()) == names


def test_what_a_wheel_depends_on_is_built_with_it(tmp_path: Path) -> None:
    dists = find_dists()
    workshop = wheels.Workshop(tmp_path, dists)
    assert workshop.closure([API]) == {
        "flower-api",
        "flower-plugins",
        "flower-dashboard",
    }  # its pages are tested
    assert "flower-dashboard" in workshop.closure([dists[0]])
