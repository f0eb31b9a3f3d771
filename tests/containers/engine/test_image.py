"""What is in the image, and how it behaves with nothing around it."""

from __future__ import annotations

from tests.containers.engine.project import docker, run

HARDENED = ("--rm", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges:true")


def _inside(images: str, script: str) -> str:
    return docker("run", *HARDENED, "--entrypoint", "sh", images, "-c", script)


def test_it_is_small_and_has_no_compiler_and_no_pip_of_its_own(images: str) -> None:
    assert _inside(images, "command -v cc gcc make || true") == ""
    assert _inside(images, "ls /opt/pgratchet/bin | grep pip || true") == ""


def test_it_runs_as_its_own_user_and_can_write_nothing(images: str) -> None:
    assert _inside(images, "id -u; id -g").split() == ["10001", "10001"]
    assert _inside(images, "touch /migrations/V9__x.sql /opt/pgratchet/x 2>/dev/null || echo no") == "no"


def test_the_program_runs_under_a_read_only_root_without_any_right(images: str) -> None:
    assert docker("run", *HARDENED, images, "version").startswith("pgratchet ")


def test_the_modules_that_a_start_imports_are_compiled(images: str) -> None:
    cached_files = "{getattr(module, '__cached__', None) or '' for module in sys.modules.values()}"
    script = f"import sys, pgratchet.ops, psycopg, rich.console; print(*{cached_files})"
    cached = docker("run", *HARDENED, "--entrypoint", "python", images, "-c", script).split()
    missing = _inside(images, f"for f in {' '.join(cached)}; do test -e $f || echo $f; done")
    assert len(cached) > 100
    assert missing == ""


def test_the_migrations_of_the_project_are_in_it(images: str) -> None:
    assert "V001__schema_version_table.sql" in _inside(images, "ls /migrations").split()


def test_without_any_database_it_says_so_and_ends_with_2(images: str) -> None:
    done = run("docker", "run", *HARDENED, images)
    assert done.code == 2, done.output
    assert "no database is named" in done.output
    assert "DATABASE_URL" in done.output


def test_a_secret_that_its_user_may_not_read_is_named_and_ends_with_2(images: str) -> None:
    volume = docker("volume", "create")
    try:
        secret = ("-v", f"{volume}:/run/secrets")
        make = "echo postgresql://u:s3cret@h/d > /run/secrets/url; chmod 600 /run/secrets/url"
        docker("run", "--rm", "--user", "0", *secret, "--entrypoint", "sh", images, "-c", make)
        done = run("docker", "run", *HARDENED, *secret, "-e", "DATABASE_URL_FILE=/run/secrets/url", images)
        assert done.code == 2
        assert "cannot read /run/secrets/url: Permission denied" in done.output
        assert "uid 10001" in done.output
    finally:
        docker("volume", "rm", volume)
