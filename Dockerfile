# The image of the migrations: applies what is pending in /migrations, once, and ends.
#
#   docker build -t pgratchet .                        with the migrations of database/
#   docker build -t pgratchet --target program .       without: put your own at /migrations
#
# Nothing but the base image and Python packages is fetched: no frontend named in a comment at the top, no
# system packages. So it builds behind a mirror of these two, and for every platform that has the base image.

FROM python:3.13-slim AS base
# The base image comes without compiled modules of the standard library, and ours cannot write them at run
# time (read-only root, not root): each start would compile them again, in memory. So would each pip of the build.
RUN python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
        -x '/(ensurepip|idlelib|lib2to3|pydoc_data|site-packages|dist-packages|test|tests|tkinter|turtledemo|unittest)/' \
        "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"


FROM base AS build
WORKDIR /build
# Environments without pip, for the image and for the tools of the build: the base image's fills both.
RUN python -m venv --without-pip /opt/pgratchet && python -m venv --without-pip builder
COPY requirements/run.lock containers/build.lock ./
# --only-binary: a platform without a wheel must fail here, by name, and not look for a compiler.
RUN python -m pip --python builder/bin/python install --no-cache-dir --no-compile \
        --require-hashes --only-binary=:all: --requirement build.lock \
 && python -m pip --python /opt/pgratchet/bin/python install --no-cache-dir --no-compile \
        --require-hashes --only-binary=:all: --requirement run.lock
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN python -m pip --python builder/bin/python wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir dist . \
 && python -m pip --python /opt/pgratchet/bin/python install --no-cache-dir --no-compile --no-deps --no-index dist/*.whl \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/pgratchet/lib


FROM base AS program
LABEL org.opencontainers.image.title="pgratchet" \
      org.opencontainers.image.description="Forward-only PostgreSQL migrations, proven before they run" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 pgratchet \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin pgratchet
COPY --from=build /opt/pgratchet /opt/pgratchet
ENV PATH=/opt/pgratchet/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PGRATCHET_DIR=/migrations \
    PGRATCHET_SEEDS=/seeds
# A number, since Kubernetes' runAsNonRoot cannot look up a name.
USER 10001:10001
STOPSIGNAL SIGTERM
# Exec form: a shell as process 1 would swallow the SIGTERM.
ENTRYPOINT ["pgratchet"]
CMD ["up", "--wait", "60"]


FROM program
COPY database/migrations /migrations
