"""Settings: who wins over whom, where they are looked for, and what a wrong one is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgratchet import config
from pgratchet.config import Settings
from pgratchet.errors import ConfigurationError


def load(
    where: Path, toml: str | None = None, flags: dict[str, str | None] | None = None, /, **variables: str
) -> Settings:
    if toml is not None:
        (where / config.FILE).write_text(toml)
    return config.load(flags, variables, str(where))


def refused(where: Path, toml: str | None = None, /, **variables: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        load(where, toml, **variables)
    return caught.value


def test_with_nothing_set_the_defaults_hold(tmp_path: Path) -> None:
    assert load(tmp_path)._asdict() == {
        **{key.name: key.default for key in config.KEYS},
        "root": str(tmp_path),
        "url": None,
        "url_source": "embedded",
        "directory": f"{tmp_path}/database/migrations",
        "seeds": f"{tmp_path}/database/seeds",
    }
    assert (load(tmp_path).schema, load(tmp_path).table) == ("public", "schema_migrations")


KEYS = [key for key in config.KEYS if key.name != "url"]


@pytest.mark.parametrize("key", KEYS, ids=[key.name for key in KEYS])
def test_the_file_wins_over_the_default_the_environment_over_the_file_and_a_flag_over_all(
    tmp_path: Path, key: config.Key
) -> None:
    def value(flags: dict[str, str | None] | None = None, /, **variables: str) -> str:
        found: str = getattr(load(tmp_path, f'{key.name} = "/file"', flags, **variables), key.name)
        return found

    assert value() == "/file"
    assert value(**{key.variable: "/environment"}) == "/environment"
    assert value({key.name: "/flag"}, **{key.variable: "/environment"}) == "/flag"
    assert value({key.name: None}, **{key.variable: "/environment"}) == "/environment"
    assert value(**{key.variable: ""}) == "/file"


@pytest.mark.parametrize("url", ["", "  "])
def test_an_empty_flag_is_an_error_and_not_whatever_server_libpq_finds(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match="the database's URL is empty"):
        load(tmp_path, None, {"url": url}, PGHOST="elsewhere")


def test_the_url_is_taken_from_the_first_place_that_has_one(tmp_path: Path) -> None:
    def source(flags: dict[str, str | None] | None = None, /, **variables: str) -> tuple[str | None, str]:
        settings = load(tmp_path, 'url = "postgresql://file"', flags, **variables)
        return settings.url, settings.url_source

    every = {
        "PGRATCHET_DATABASE_URL": "postgresql://ours",
        "DATABASE_URL": "postgresql://common",
        "PGHOST": "host",
    }
    assert source({"url": "postgresql://flag"}, **every) == ("postgresql://flag", "--url")
    assert source(None, **every) == ("postgresql://ours", "PGRATCHET_DATABASE_URL")
    del every["PGRATCHET_DATABASE_URL"]
    assert source(None, **every) == ("postgresql://common", "DATABASE_URL")
    del every["DATABASE_URL"]
    assert source(None, **every) == ("", "PGHOST")
    assert source(None) == ("postgresql://file", "pgratchet.toml")


def test_the_environment_is_that_of_the_process_unless_another_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGRATCHET_TABLE", "of_the_process")
    assert config.load(start=str(tmp_path)).table == "of_the_process"
    assert config.load(environment={}, start=str(tmp_path)).table == "schema_migrations"


def test_without_a_folder_to_start_from_it_is_the_one_that_the_process_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert config.load(environment={}).root == str(tmp_path)


def test_a_direct_url_stands_beside_the_pooled_one_and_alone_for_both(tmp_path: Path) -> None:
    direct = {"PGRATCHET_DIRECT_URL": "postgres://direct"}
    both = load(tmp_path, None, None, DATABASE_URL="postgresql://pooled", **direct)
    assert (both.url, both.direct_url) == ("postgresql://pooled", "postgresql://direct")
    alone = load(tmp_path, None, None, **direct)
    assert (alone.url, alone.url_source) == ("postgresql://direct", "PGRATCHET_DIRECT_URL")


def test_a_url_on_the_command_line_is_meant_whatever_the_direct_one_of_the_environment_says(
    tmp_path: Path,
) -> None:
    found = load(tmp_path, None, {"url": "postgresql://other"}, PGRATCHET_DIRECT_URL="postgresql://direct")
    assert (found.url, found.direct_url) == ("postgresql://other", "")


def test_the_direct_url_may_be_a_secret_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("postgresql://direct\n")
    assert (
        load(tmp_path, PGRATCHET_DIRECT_URL_FILE=str(tmp_path / "secret")).direct_url == "postgresql://direct"
    )


@pytest.mark.parametrize("variable", config.LIBPQ_VARIABLES)
def test_each_of_libpqs_variables_means_that_libpq_finds_the_database(tmp_path: Path, variable: str) -> None:
    assert load(tmp_path, **{variable: "x"}).url == ""


def test_the_direct_url_is_that_of_the_environment_or_the_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("postgres://secret\n")
    toml = 'url = "postgresql://pooler"\ndirect_url = "postgres://file"'
    assert load(tmp_path, toml).direct_url == "postgresql://file"
    assert load(tmp_path, PGRATCHET_DIRECT_URL="postgres://server").direct_url == "postgresql://server"
    assert load(tmp_path, PGRATCHET_DIRECT_URL_FILE=f"{tmp_path}/secret").direct_url == "postgresql://secret"
    assert load(tmp_path).url == "postgresql://pooler"


def test_a_direct_url_alone_is_the_url(tmp_path: Path) -> None:
    settings = load(tmp_path, PGRATCHET_DIRECT_URL="postgres://server")
    assert (settings.url, settings.url_source) == ("postgresql://server", "PGRATCHET_DIRECT_URL")


def test_who_names_a_database_by_a_flag_means_that_one_and_no_direct_one(tmp_path: Path) -> None:
    settings = load(tmp_path, None, {"url": "postgresql://flag"}, PGRATCHET_DIRECT_URL="postgres://server")
    assert (settings.url, settings.direct_url) == ("postgresql://flag", "")


def test_an_empty_url_is_one_that_is_not_set(tmp_path: Path) -> None:
    settings = load(tmp_path, 'url = ""', PGRATCHET_DATABASE_URL="", DATABASE_URL="", PGHOST="")
    assert settings.url_source == "embedded"


def test_the_file_is_found_upwards_and_folders_count_from_it(tmp_path: Path) -> None:
    below = tmp_path / "one" / "two"
    below.mkdir(parents=True)
    (tmp_path / config.FILE).write_text('directory = "sql"')
    settings = load(below, PGRATCHET_SEEDS="data")
    assert (settings.root, settings.directory, settings.seeds) == (
        str(tmp_path),
        f"{tmp_path}/sql",
        f"{tmp_path}/data",
    )


def test_the_nearest_file_is_the_one_that_counts(tmp_path: Path) -> None:
    below = tmp_path / "one"
    below.mkdir()
    (tmp_path / config.FILE).write_text('schema = "far"')
    settings = load(below, 'table = "near"')
    assert (settings.root, settings.schema, settings.table) == (str(below), "public", "near")


def test_a_folder_named_by_a_flag_counts_from_where_the_command_runs(tmp_path: Path) -> None:
    below = tmp_path / "one"
    below.mkdir()
    (tmp_path / config.FILE).write_text("")
    settings = load(below, None, {"directory": "sql", "seeds": "/data"})
    assert (settings.directory, settings.seeds) == (f"{below}/sql", "/data")
    assert load(below, None, {"table": "mine"}).table == "mine"


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("postgresql://x\n", "postgresql://x"),
        ("postgresql://x", "postgresql://x"),
        ("postgresql://x\r\n", "postgresql://x"),
        ("postgresql://x\n\n", "postgresql://x\n"),
        (" postgresql://x ", " postgresql://x "),
    ],
)
def test_a_secret_file_is_read_less_one_last_newline(tmp_path: Path, content: str, value: str) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(content.encode())
    assert config.secret("DATABASE_URL", {"DATABASE_URL_FILE": str(secret)}) == value


def test_a_variable_that_is_empty_is_one_that_is_not_set() -> None:
    assert config.secret("DATABASE_URL", {"DATABASE_URL": "", "DATABASE_URL_FILE": ""}) is None


@pytest.mark.parametrize("variable", config.URL_VARIABLES)
def test_the_url_can_be_read_from_a_file(tmp_path: Path, variable: str) -> None:
    (tmp_path / "secret").write_text("postgres://user:word@host/name\n")
    settings = load(tmp_path, **{f"{variable}_FILE": str(tmp_path / "secret")})
    assert (settings.url, settings.url_source) == ("postgresql://user:word@host/name", variable)


def test_a_variable_and_its_file_both_set_are_an_error(tmp_path: Path) -> None:
    error = refused(tmp_path, DATABASE_URL="postgresql://x", DATABASE_URL_FILE="/run/secret")
    assert error.message == "DATABASE_URL and DATABASE_URL_FILE are both set"


def test_a_secret_file_that_is_not_there_is_an_error_that_says_who_reads_it(tmp_path: Path) -> None:
    error = refused(tmp_path, DATABASE_URL_FILE=f"{tmp_path}/gone")
    assert error.message == f"DATABASE_URL_FILE: cannot read {tmp_path}/gone: No such file or directory"
    assert "uid" in str(error.hint)


def test_an_empty_secret_file_is_an_error_and_not_another_database(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("\n")
    assert "is empty" in refused(tmp_path, DATABASE_URL_FILE=f"{tmp_path}/secret").message


def test_a_secret_file_that_is_no_text_is_an_error_that_does_not_show_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"postgresql://u:\xff\xfeword@h/d")
    error = refused(tmp_path, DATABASE_URL_FILE=f"{tmp_path}/secret")
    assert "it is not UTF-8 text" in error.message
    assert "word" not in f"{error.message}{error.hint}"


def test_an_unknown_key_is_an_error_that_names_the_one_that_was_meant(tmp_path: Path) -> None:
    error = refused(tmp_path, 'direktory = "x"')
    assert error.message == f"{tmp_path}/pgratchet.toml: unknown key direktory"
    assert str(error.hint).startswith("Did you mean directory? The keys are url, ")


def test_an_unknown_key_like_no_other_is_an_error_that_lists_the_keys(tmp_path: Path) -> None:
    assert str(refused(tmp_path, "[tool]").hint).startswith("The keys are url, ")


@pytest.mark.parametrize("value", ["1", "true", '["a"]', "{}"])
def test_a_value_that_is_not_text_is_an_error(tmp_path: Path, value: str) -> None:
    assert refused(tmp_path, f"table = {value}").message.endswith("table must be a string")


@pytest.mark.parametrize("content", [b"table =", b'table = "\xff"', b"\xef\xbb\xbf="])
def test_a_file_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / config.FILE).write_bytes(content)
    assert refused(tmp_path).message.startswith(f"{tmp_path}/pgratchet.toml: ")


@pytest.mark.parametrize(
    "scheme",
    ["postgres", "postgresql", "postgresql+psycopg", "postgresql+asyncpg", "postgres+psycopg2", "PostgreSQL"],
)
def test_the_urls_of_other_drivers_are_understood(scheme: str) -> None:
    rest = "user:w%40rd@host:5433/name?sslmode=require"
    assert config.normal_url(f"{scheme}://{rest}") == f"postgresql://{rest}"


@pytest.mark.parametrize(
    "url", ["mysql://root@host/x", "sqlite:///x.db", "mongodb+srv://host", "https://host"]
)
def test_a_url_of_another_database_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="which is not PostgreSQL"):
        config.normal_url(url)


@pytest.mark.parametrize(
    "text", ["", "shop", "host=h dbname=d", "host=h password=top://secret", "pass:word@h://x"]
)
def test_what_is_no_url_is_left_to_libpq(text: str) -> None:
    assert config.normal_url(text) == text


def test_the_refusal_of_a_url_does_not_show_its_password() -> None:
    with pytest.raises(ConfigurationError) as caught:
        config.normal_url("mysql://root:secret@host/x")
    assert "secret" not in f"{caught.value.message}{caught.value.hint}"


def test_a_table_of_the_file_has_its_own_keys_with_their_defaults(tmp_path: Path) -> None:
    (tmp_path / config.FILE).write_text(
        'table = "moved"\n[check]\ntarget = "citus"\nignore = ["one", "two"]\n'
    )
    found = config.load({}, {}, str(tmp_path))
    assert found.table == "moved"
    assert config.section(found, "check") == {
        "severity": "warning",
        "target": "citus",
        "ignore": ("one", "two"),
        "style": False,
        "qualified": False,
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[check]\ntarger = 'x'\n", "unknown key check.targer"),
        ("[check]\ntarget = 3\n", "check.target must be a string"),
        ("[check]\nignore = ['a', 3]\n", "check.ignore must be a list of strings"),
    ],
)
def test_a_table_of_the_file_with_a_mistake_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / config.FILE).write_text(text)
    found = config.load({}, {}, str(tmp_path))
    with pytest.raises(ConfigurationError, match=reason):
        config.section(found, "check")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[chek]\na = 1\n", "unknown key chek"),
        ("check = 'x'\n", "check is a table"),
        ("[url]\na = 1\n", "url must be a string"),
    ],
)
def test_a_table_in_the_place_of_a_key_and_a_key_in_that_of_a_table_are_refused(
    tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / config.FILE).write_text(text)
    with pytest.raises(ConfigurationError, match=reason):
        config.load({}, {}, str(tmp_path))
