"""Precedence, refusals and warnings of the settings as a whole (S34, S54)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from flower.settings import EffectiveSettings, load, peek
from flower_plugins import ConfigurationError, Option

PLUGINS = (
    ("auth_basic", Option("basic_auth", default=(), multiple=True, secret=True, claims=True)),
    ("store_sqlite", Option("persistent", bool, False)),
    ("other", Option("color", default="red", env=("COLOR_OF_FLOWER", "FLOWER_COLOUR"))),
    ("other", Option("key", secret=True)),
    ("other", Option("rocket", bool, False, unavailable="Rockets come later")),
    ("other", Option("window", bool, True, unavailable="Windows cannot be closed yet")),
)


class Loader:
    def __init__(self, cwd: Path) -> None:
        self.cwd = cwd

    def __call__(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        file: str | None = None,
        options: Sequence[tuple[str, Option]] = PLUGINS,
    ) -> EffectiveSettings:
        if file is not None:
            (self.cwd / "flowerconfig.py").write_text(file)
        return load(words, options=options, environ=env or {}, cwd=str(self.cwd))


@pytest.fixture(name="loaded")
def _loaded(tmp_path: Path) -> Loader:
    return Loader(tmp_path)


@pytest.mark.parametrize(
    ("words", "file", "env", "value", "origin"),
    [
        (["--port=1"], "port = 2", {"FLOWER_PORT": "3"}, 1, "command line"),
        ([], "port = 2", {"FLOWER_PORT": "3"}, 2, "port in {cwd}/flowerconfig.py"),
        ([], "port = '2'", {}, 2, "port in {cwd}/flowerconfig.py"),
        ([], None, {"FLOWER_PORT": "3"}, 3, "FLOWER_PORT in the environment"),
        ([], None, {}, 5555, "default"),
        ([], "port = None", {"FLOWER_PORT": "3"}, 3, "FLOWER_PORT in the environment"),
    ],
)
def test_command_line_over_file_over_environment_over_default(
    loaded: Loader, words: list[str], file: str | None, env: dict[str, str], value: int, origin: str
) -> None:
    settings = loaded(*words, file=file, env=env)
    assert settings["port"] == value
    assert settings.origin("port") == origin.format(cwd=loaded.cwd)
    assert settings.given("port") is (origin != "default")


@pytest.mark.parametrize("name", ["DEBUG", "PORT", "MAX_TASKS", "URL_PREFIX", "CONF", "PERSISTENT", "DISABLE_PLUGIN"])
def test_an_empty_variable_sets_nothing_and_a_debug_line_says_so(
    loaded: Loader, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level("DEBUG")
    settings = loaded(env={f"FLOWER_{name}": " "})
    assert not settings.given(name.lower())
    assert settings.warnings == []
    assert caplog.messages == [f"FLOWER_{name} in the environment is empty and sets nothing"]


def test_an_empty_variable_leaves_the_option_s_other_names_in_force(loaded: Loader) -> None:
    settings = loaded(env={"FLOWER_COLOR": "", "COLOR_OF_FLOWER": "blue", "FLOWER_ADDRESS": ""})
    assert settings["color"] == "blue"
    assert settings.given("address")


@pytest.mark.parametrize("file", ["address = ''", "address = None"])
def test_an_empty_address_counts_as_given(loaded: Loader, file: str) -> None:
    settings = loaded(file=file)
    assert settings["address"] == ""
    assert settings.given("address")
    assert not loaded(file="").given("address")


def test_an_unknown_name_is_a_key_error(loaded: Loader) -> None:
    with pytest.raises(KeyError):
        loaded()["nothing"]


@pytest.mark.parametrize("name", ["FLOWER_COLOR", "COLOR_OF_FLOWER", "FLOWER_COLOUR"])
def test_an_option_may_have_several_variables(loaded: Loader, name: str) -> None:
    settings = loaded(env={name: "blue"})
    assert (settings["color"], settings.origin("color")) == ("blue", f"{name} in the environment")
    assert not settings.warnings


def test_an_option_s_main_variable_goes_before_its_others(loaded: Loader) -> None:
    assert loaded(env={"FLOWER_COLOUR": "green", "FLOWER_COLOR": "blue"})["color"] == "blue"


def test_another_conf_is_read_instead(loaded: Loader) -> None:
    (loaded.cwd / "c.py").write_text("port = 7\nconf = 'ignored'\nhelp = plugins = demo = 'ignored'")
    for settings in (loaded("--conf=c.py", file="port = 8"), loaded(env={"FLOWER_CONF": str(loaded.cwd / "c.py")})):
        assert settings["port"] == 7
        assert settings.file_path == str(loaded.cwd / "c.py")
        assert settings["help"] is False


def test_the_file_is_executed_once(loaded: Loader) -> None:
    (loaded.cwd / "flowerconfig.py").write_text(f"with open('{loaded.cwd}/count', 'a') as file: file.write('x')")
    early = peek([], {}, str(loaded.cwd))
    load([], options=PLUGINS, environ={}, cwd=str(loaded.cwd), early=early)
    assert (loaded.cwd / "count").read_text() == "x"


def test_repeated_credentials_add_up(loaded: Loader) -> None:
    assert loaded("--basic_auth=a:b,c:d", "--basic-auth", "e:f")["basic_auth"] == ("a:b", "c:d", "e:f")


@pytest.mark.parametrize("text", ["true", "YES", "1", "on"])
def test_the_api_is_opened_by_its_variable(loaded: Loader, text: str) -> None:
    assert loaded(env={"FLOWER_UNAUTHENTICATED_API": text}).unauthenticated_api is True


@pytest.mark.parametrize("env", [{}, {"FLOWER_UNAUTHENTICATED_API": "0"}, {"FLOWER_UNAUTHENTICATED_API": ""}])
def test_the_api_is_closed_otherwise(loaded: Loader, env: dict[str, str]) -> None:
    assert loaded(env=env).unauthenticated_api is False


LINE = "command line"
FILE = "{cwd}/flowerconfig.py"
PORT = "Give another value, like 5555, or leave port out"
EMPTY = "Give it a value or leave it out"
OPEN = "Correct or remove it: ignoring it might leave Flower open"
WRITE = "Write options as --name=value; celery flower --help lists them"
TLS = "Both 'certfile' and 'keyfile' are required to enable SSL"


@pytest.mark.parametrize(
    ("words", "env", "file", "what", "where", "mend"),
    [
        (
            ["--port=abc"],
            {},
            "",
            "port: 'abc' is not a whole number",
            LINE,
            "Give another value, like 5555, or leave port out",
        ),
        (
            ["--debug=maybe"],
            {},
            "",
            "debug: 'maybe' is neither true nor false",
            LINE,
            "Give another value, like False, or leave debug out",
        ),
        (
            [],
            {"FLOWER_READ_ONLY": ""},
            "",
            "read_only: '' is neither true nor false",
            "FLOWER_READ_ONLY in the environment",
            "Give another value, like False, or leave read_only out",
        ),
        (
            [],
            {},
            "port = 1.5",
            "port: it must be of type int, not float",
            f"port in {FILE}",
            "Give another value, like 5555, or leave port out",
        ),
        (
            ["--format_task=f"],
            {},
            "",
            "format_task: it can only be set in flowerconfig.py",
            LINE,
            "Give another value, or leave format_task out",
        ),
        (
            [],
            {"FLOWER_FORMAT_TASK": "f"},
            "",
            "format_task: it can only be set in flowerconfig.py",
            "FLOWER_FORMAT_TASK in the environment",
            "Give another value, or leave format_task out",
        ),
        (["--bogus=1"], {}, "", "unknown option --bogus", LINE, "celery flower --help lists all of them"),
        (["--basic_auht=a:b"], {}, "", "unknown option --basic_auht", LINE, "Did you mean --basic_auth?"),
        (["--prot", "5"], {}, "", "unknown option --prot", LINE, "Did you mean --port?"),
        (["start"], {}, "", "unexpected word 'start' after flower", LINE, WRITE),
        (["user:secret"], {}, "", "unexpected word after flower", LINE, WRITE),
        (["--basic_auth="], {}, "", "basic_auth is empty", LINE, "Give it a value or leave it out"),
        (["--basic_auth=,"], {}, "", "basic_auth is empty", LINE, "Give it a value or leave it out"),
        (
            [],
            {"FLOWER_BASIC_AUTH": ""},
            "",
            "basic_auth is empty",
            "FLOWER_BASIC_AUTH in the environment",
            "Give it a value or leave it out",
        ),
        ([], {}, "basic_auth = []", "basic_auth is empty", f"basic_auth in {FILE}", "Give it a value or leave it out"),
        (
            [],
            {"FLOWER_UNAUTHENTICATED_API": "maybe"},
            "",
            "FLOWER_UNAUTHENTICATED_API: 'maybe' is neither true nor false",
            "environment",
            "Set it to true or false, or remove it",
        ),
        (
            [],
            {"FLOWER_BASIC_AUHT": "a:b"},
            "",
            "unknown variable FLOWER_BASIC_AUHT, which resembles FLOWER_BASIC_AUTH",
            "environment",
            OPEN,
        ),
        (
            [],
            {"FLOWER_BASICAUTH": "a:b"},
            "",
            "unknown variable FLOWER_BASICAUTH, which resembles FLOWER_BASIC_AUTH",
            "environment",
            OPEN,
        ),
        (
            [],
            {"FLOWER_BASIC_AUTH_PASSWORD": "b"},
            "",
            "unknown variable FLOWER_BASIC_AUTH_PASSWORD, which resembles FLOWER_BASIC_AUTH",
            "environment",
            OPEN,
        ),
        (
            [],
            {"FLOWER_READONLY": "1"},
            "",
            "unknown variable FLOWER_READONLY, which resembles FLOWER_READ_ONLY",
            "environment",
            OPEN,
        ),
        (
            [],
            {"FLOWER_UNAUTHENTICATED_APIS": "1"},
            "",
            "unknown variable FLOWER_UNAUTHENTICATED_APIS, which resembles FLOWER_UNAUTHENTICATED_API",
            "environment",
            OPEN,
        ),
        (
            [],
            {},
            "basic_auht = ['a:b']",
            "basic_auht is no option, but resembles basic_auth",
            f"basic_auht in {FILE}",
            "Correct or rename it: ignoring it might leave Flower open",
        ),
        (["--rocket"], {}, "", "rocket cannot be used", LINE, "Rockets come later"),
        (["--window=no"], {}, "", "window cannot be used", LINE, "Windows cannot be closed yet"),
        (["--certfile=/c"], {}, "", "certfile is set without keyfile", LINE, TLS),
        ([], {"FLOWER_KEYFILE": "/k"}, "", "keyfile is set without certfile", "FLOWER_KEYFILE in the environment", TLS),
        (["--ca_certs=/c"], {}, "", "ca_certs is set without certfile", LINE, TLS),
        (["--conf=/none"], {}, "", "there is no file /none", LINE, "Correct the path of conf"),
        (
            [],
            {"FLOWER_KEY_FILE": "/none"},
            "",
            "cannot read the file of key, /none: No such file or directory",
            "FLOWER_KEY_FILE in the environment",
            "",
        ),
        (
            [],
            {"FLOWER_KEY_FILE": "/none", "FLOWER_KEY": "x"},
            "",
            "key is set twice",
            "FLOWER_KEY in the environment, FLOWER_KEY_FILE in the environment",
            "Remove one of them",
        ),
    ],
)
def test_what_cannot_be_honoured_stops_the_start_with_one_sentence(
    loaded: Loader, words: list[str], env: dict[str, str], file: str, what: str, where: str, mend: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(*words, env=env, file=file)
    error = caught.value
    assert (error.what, error.where, error.mend) == (what, where.replace("{cwd}", str(loaded.cwd)), mend)


def test_the_sentence_says_what_where_and_how_to_mend(loaded: Loader) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded("--port=abc")
    assert caught.value.message == (
        "port: 'abc' is not a whole number (command line). Give another value, like 5555, or leave port out"
    )


def test_secrets_that_sign_cookies_may_be_several(loaded: Loader, tmp_path: Path) -> None:
    """S30, S34: the newest first, one by one, joined by commas, or as lines of a file."""
    file = tmp_path / "secrets"
    file.write_text("new\nold\n")
    for words, env in (
        (["--cookie_secret=new", "--cookie_secret=old"], {}),
        (["--cookie_secret=new,old"], {}),
        ([], {"FLOWER_COOKIE_SECRET_FILE": str(file)}),
    ):
        assert loaded(*words, env=env)["cookie_secret"] == ("new", "old")
    assert loaded()["cookie_secret"] == ()


@pytest.mark.parametrize("words", [["--auth="], ["--rocket=no"], ["--window"], ["--cookie_secret=x"]])
def test_an_unavailable_option_that_asks_for_nothing_passes(loaded: Loader, words: list[str]) -> None:
    loaded(*words)


@pytest.mark.parametrize(
    ("words", "env", "file", "where"),
    [
        (["--basic-auth=a:b"], {}, "", "command line"),
        (["--basic_auth="], {}, "", "command line"),
        ([], {"FLOWER_BASIC_AUTH": "a:b"}, "", "FLOWER_BASIC_AUTH in the environment"),
        ([], {}, "basic_auth = ['a:b']", "basic_auth in {cwd}/flowerconfig.py"),
    ],
)
def test_a_security_option_without_its_plugin_stops_the_start(
    loaded: Loader, words: list[str], env: dict[str, str], file: str, where: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(*words, env=env, file=file, options=())
    assert caught.value.message == (
        f"no active plugin handles basic_auth ({where.format(cwd=loaded.cwd)}). Install it with: "
        "pip install flower-auth-basic; or see why it is not active: celery flower --plugins"
    )


TEMPLATE = (
    "You have incorrectly specified the following celery arguments after flower command: {}. Please specify them "
    "after celery command instead following this template: celery [celery args] flower [flower args]."
)

LEVEL = "Ignored {} after flower; the level of Flower's own log is --logging=LEVEL"
APPLIED = "Applied -A, --broker after flower; Celery's own options belong before it: celery -A … --broker … flower"
ABSENT = "{} is ignored: it belongs to {}, which is not active; pip install {}"
IGNORED = " in the environment is ignored: "
PROVIDER = (
    "FLOWER_GITLAB_MIN_ACCESS_LEVEL in the environment has no effect: it belongs to login through an identity provider"
)
EXPOSED = (
    "basic_auth on the command line can be read by every user of this machine; "
    "better set FLOWER_BASIC_AUTH, FLOWER_BASIC_AUTH_FILE or basic_auth in flowerconfig.py"
)


@pytest.mark.parametrize(
    ("words", "env", "file", "warning"),
    [
        (["--workdir=/x", "-C"], {}, "", TEMPLATE.format("['--workdir', '-C']")),
        (["--loglevel=DEBUG"], {}, "", LEVEL.format("--loglevel")),
        (["-l", "info"], {}, "", LEVEL.format("-l")),
        (["\u2014workdir=/x"], {}, "", TEMPLATE.format("['\u2014workdir']")),
        (["-linfo"], {}, "", LEVEL.format("-linfo")),
        (["-A", "proj", "--broker=redis://:pw@h"], {}, "", APPLIED),
        (["redis://:pw@h"], {}, "", "Used a URL after flower as the broker; better write celery --broker=URL flower"),
        (
            ["--broker-api", "http://h"],
            {},
            "",
            ABSENT.format("--broker-api", "flower-broker-rabbitmq", "'flower[rabbitmq]'"),
        ),
        (
            [],
            {"FLOWER_DB": "x"},
            "",
            ABSENT.format("FLOWER_DB in the environment", *2 * ["flower-store-sqlite"]),
        ),
        ([], {}, "prot = 5", "prot in {cwd}/flowerconfig.py is not an option. Did you mean port?"),
        ([], {}, "max_task = 5", "max_task in {cwd}/flowerconfig.py is not an option. Did you mean max_tasks?"),
        (
            [],
            {},
            "natural_tme = 5",
            "natural_tme in {cwd}/flowerconfig.py is not an option. Did you mean natural_time?",
        ),
        (
            [],
            {},
            "natural_time = True",
            ABSENT.format("natural_time in {cwd}/flowerconfig.py", *2 * ["flower-dashboard"]),
        ),
        (
            [],
            {"FLOWER_PORT": "tcp://10.0.0.1:5555"},
            "",
            "FLOWER_PORT" + IGNORED + "its value comes from a Kubernetes service of that name",
        ),
        (
            [],
            {"FLOWER_MAX_TASK": "5"},
            "",
            "FLOWER_MAX_TASK" + IGNORED + "there is no such option. Did you mean FLOWER_MAX_TASKS?",
        ),
        ([], {"FLOWER_XYZZY": "5"}, "", "FLOWER_XYZZY" + IGNORED + "there is no such option"),
        ([], {"FLOWER_HELP": "1"}, "", "FLOWER_HELP" + IGNORED + "there is no such option"),
        ([], {"FLOWER_GITLAB_MIN_ACCESS_LEVEL": "5"}, "", PROVIDER),
        (["--basic_auth=a:b"], {}, "", EXPOSED),
    ],
)
def test_what_is_ignored_or_unwise_is_warned_of_once(
    loaded: Loader, words: list[str], env: dict[str, str], file: str, warning: str
) -> None:
    assert list(loaded(*words, env=env, file=file).warnings) == [warning.replace("{cwd}", str(loaded.cwd))]


def test_the_program_flower_has_no_better_place_for_celery_s_options(tmp_path: Path) -> None:
    words = ["-A", "proj", "--broker=redis://h", "--workdir=/x"]
    settings = load(words, options=(), environ={}, cwd=str(tmp_path), alone=True)
    assert settings.warnings == [TEMPLATE.format("['--workdir']")]


def test_a_file_variable_that_is_an_option_of_its_own_is_not_offered_for_the_secret(tmp_path: Path) -> None:
    options = [
        ("auth_basic", Option("basic_auth", default=(), multiple=True, secret=True, claims=True)),
        ("auth_basic", Option("basic_auth_file", claims=True)),
    ]
    settings = load(["--basic_auth=a:b"], options=options, environ={}, cwd=str(tmp_path))
    assert settings.warnings == [EXPOSED.replace(", FLOWER_BASIC_AUTH_FILE", "")]


@pytest.mark.parametrize(
    "name", ["FLOWER_SERVICE_HOST", "FLOWER_AUTH_SERVICE_HOST", "FLOWER_PORT_5555_TCP", "FLOWER_DATA_DIR", "FLOWERS"]
)
def test_variables_of_others_are_left_alone(loaded: Loader, name: str) -> None:
    assert loaded(env={name: "1"}).warnings == []


@pytest.mark.parametrize("name", ["FLOWER_AUTH_PORT", "FLOWER_WEB_PORT"])
def test_addresses_of_services_are_left_alone(loaded: Loader, name: str) -> None:
    assert loaded(env={name: "tcp://10.0.0.1:80"}).warnings == []


def test_a_helper_beside_the_real_security_option_only_warns(loaded: Loader) -> None:
    settings = loaded(env={"FLOWER_BASIC_AUTH": "a:b", "FLOWER_BASIC_AUTH_USER": "a"}, file="basic_auths = []")
    assert settings.warnings == [
        "FLOWER_BASIC_AUTH_USER in the environment is ignored: there is no such option. Did you mean FLOWER_BASIC_AUTH?"
    ]


@pytest.mark.parametrize(
    "file",
    [
        "import os as auths",
        "def auths(): pass",
        "class Auths: pass",
        "_auth = 1",
        "oauth = {}",
        "paths = 1",
        "broker = 'redis://h'",
        "result_backend = 'rpc://'",
        "timezone = 'UTC'",
        "task_routes = []",
        "prots = {}",
        "PROT = 5",
        "prot = None",
    ],
)
def test_other_globals_are_left_alone(loaded: Loader, file: str) -> None:
    assert loaded(file=file).warnings == []


@pytest.mark.parametrize(
    ("content", "name", "value"),
    [
        ("s3cret\n", "KEY", "s3cret"),
        ("a:b\nc:d\n", "BASIC_AUTH", ("a:b", "c:d")),
        ("a:b,c:d", "BASIC_AUTH", ("a:b", "c:d")),
    ],
)
def test_a_secret_may_stand_in_a_file_of_its_own(loaded: Loader, content: str, name: str, value: object) -> None:
    (loaded.cwd / "secret").write_text(content)
    settings = loaded(env={f"FLOWER_{name}_FILE": str(loaded.cwd / "secret")})
    assert settings[name.lower()] == value
    assert settings.warnings == []


def test_an_empty_secret_file_fails_closed(loaded: Loader) -> None:
    (loaded.cwd / "secret").write_text("\n")
    with pytest.raises(ConfigurationError, match="basic_auth is empty"):
        loaded(env={"FLOWER_BASIC_AUTH_FILE": str(loaded.cwd / "secret")})


def test_a_secret_file_that_is_no_text_is_refused(loaded: Loader) -> None:
    (loaded.cwd / "secret").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ConfigurationError, match="it is not UTF-8 text"):
        loaded(env={"FLOWER_KEY_FILE": str(loaded.cwd / "secret")})


def test_refused_declarations_are_warned_of(loaded: Loader) -> None:
    settings = loaded(options=[("thief", Option("port"))])
    assert settings.warnings == ["option port of plugin thief is refused: core already declares it"]
    assert settings["port"] == 5555


def test_overrides_and_globals_are_handed_on(loaded: Loader) -> None:
    settings = loaded("-A", "proj", "--broker=amqp://h", file="broker_url = 'x'\ndef flower_routes(host): ...")
    assert settings.celery_overrides == {"app": "proj", "broker": "amqp://h"}
    assert set(settings.file_globals) >= {"broker_url", "flower_routes"}


def test_secrets_are_masked(loaded: Loader) -> None:
    masked = loaded(
        "--basic_auth=u:canary",
        "--cookie_secret=canary",
        "--allowed_hosts=http://u:canary@h",
        "--color=redis://:canary@h/0",
        file="def format_task(task): return task",
    ).masked()
    assert "canary" not in repr(masked)
    assert (masked["basic_auth"], masked["color"], masked["port"]) == ("***", "redis://:**@h/0", 5555)
    assert (masked["format_task"], masked["key"]) == ("format_task", None)


def test_peek_tells_which_plugins_to_load(tmp_path: Path) -> None:
    (tmp_path / "flowerconfig.py").write_text("plugins_allowed = ['a', 'b']\nport = 'x' and 1")
    early = peek(["--unknown", "value", "--disable-plugin=a", "--plugins=json"], {}, str(tmp_path))
    assert (early.disabled, early.allowed, early.plugins, early.help) == (("a",), ("a", "b"), "json", False)
    assert early.file.globals["port"] == 1


def test_peek_allows_every_plugin_by_default_and_none_when_told(tmp_path: Path) -> None:
    assert peek([], {}, str(tmp_path)).allowed is None
    assert peek(["--plugins_allowed="], {}, str(tmp_path)).allowed == ()


def test_help_is_given_even_when_the_file_is_broken(tmp_path: Path) -> None:
    (tmp_path / "flowerconfig.py").write_text("raise ValueError")
    assert peek(["--help"], {}, str(tmp_path)).help is True
    with pytest.raises(ConfigurationError, match="raised ValueError"):
        peek([], {}, str(tmp_path))
