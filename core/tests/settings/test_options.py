"""The declarations themselves, and which of several wins."""

from __future__ import annotations

import pytest

from flower.settings import CORE, Catalogue
from flower.settings.names import CELERY, CELERY_APPLIED, FIRST_PARTY, RESERVED, SECURITY
from flower.settings.values import parse
from flower_plugins import Option

DOCUMENTED = [
    "address",
    "auth",
    "auto_refresh",
    "basic_auth",
    "broker_api",
    "ca_certs",
    "certfile",
    "conf",
    "db",
    "debug",
    "enable_events",
    "format_task",
    "inspect_timeout",
    "keyfile",
    "max_workers",
    "max_tasks",
    "natural_time",
    "persistent",
    "port",
    "state_save_interval",
    "xheaders",
    "tasks_columns",
    "url_prefix",
    "unix_socket",
    "cookie_secret",
    "auth_provider",
    "purge_offline_workers",
    "help",
    "inspect",
    "oauth2_key",
    "oauth2_secret",
    "oauth2_redirect_uri",
    "task_runtime_metric_buckets",
    "read_only",
    "logging",
    "log_to_stderr",
    "log_file_prefix",
    "log_file_max_size",
    "log_file_num_backups",
    "log_rotate_when",
    "log_rotate_interval",
    "log_rotate_mode",
]


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_documented_option_is_known(name: str) -> None:
    assert name in Catalogue() or name in FIRST_PARTY or name in RESERVED


@pytest.mark.parametrize("option", CORE, ids=lambda option: option.name)
def test_an_option_of_core_is_complete(option: Option) -> None:
    assert option.help.endswith(".")
    assert option.type in (str, int, float, bool, object)
    assert not option.multiple or option.default == ()


@pytest.mark.parametrize(
    "option",
    [one for one in CORE if one.type is not object and one.default not in (None, "", ()) and not one.multiple],
    ids=lambda option: option.name,
)
def test_a_default_is_what_its_own_text_means(option: Option) -> None:
    assert parse(option, [str(option.default)]) == option.default


def test_names_are_declared_once() -> None:
    names = [option.name for option in CORE]
    assert len(set(names)) == len(names)
    assert not set(names) & (FIRST_PARTY.keys() | RESERVED.keys() | CELERY.keys() | CELERY_APPLIED.keys())


def test_every_security_option_is_known() -> None:
    assert set(Catalogue()) | RESERVED.keys() | {"unauthenticated_api"} >= SECURITY


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        (Option("port"), "core already declares it"),
        (Option("color"), "one already declares it"),
        (Option("auth"), "core already declares it"),
        (Option("port", claims=True), "core already declares it"),
        (Option("basic_auth"), "the name is reserved for a plugin that claims it"),
        (Option("broker"), "the name has another meaning already"),
        (Option("loglevel"), "the name has another meaning already"),
        (Option("unauthenticated_api"), "the name has another meaning already"),
        (Option("Not-Snake"), "the name is not in lower_snake"),
        (Option("shape", dict), "the type is none of str, int, float, bool, object"),
    ],
)
def test_a_declaration_that_cannot_stand_is_refused(option: Option, reason: str) -> None:
    catalogue = Catalogue([("one", Option("color", default="red")), ("two", option)])
    assert [(no.plugin, no.option, no.reason) for no in catalogue.refused] == [("two", option.name, reason)]
    assert catalogue["color"].default == "red"
    assert catalogue["port"].default == 5555


def test_a_reserved_option_is_taken_by_the_plugin_that_claims_it() -> None:
    option = Option("basic_auth", claims=True)
    catalogue = Catalogue([("auth_basic", option)])
    assert (catalogue["basic_auth"], catalogue.owner("basic_auth"), catalogue.refused) == (option, "auth_basic", ())


def test_core_options_that_come_back_as_a_plugin_s_are_not_refused() -> None:
    catalogue = Catalogue([("flower", option) for option in CORE])
    assert catalogue.refused == ()
    assert catalogue.owner("port") == "core"
