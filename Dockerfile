# Granary and its dashboards, installed from the lock files. One image, two services: see
# docker-compose.yml.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1 \
    GRANARY_TOOLS=/opt/granary/.local/tools \
    PATH=/opt/granary/.venv/bin:/opt/granary/.local/tools/bin:$PATH

RUN useradd --create-home --uid 10001 granary \
    && install --directory --owner granary /opt/granary /data /landing
USER granary
WORKDIR /opt/granary

# What changes rarely comes first, so that a changed model does not install everything again.
COPY --chown=granary bin bin
RUN ./bin/get-uv
COPY --chown=granary superset/pyproject.toml superset/uv.lock superset/
RUN uv sync --frozen --no-dev --project superset
COPY --chown=granary pyproject.toml uv.lock README.md ./
RUN uv sync --frozen --no-dev --no-install-project
COPY --chown=granary . .
RUN uv sync --frozen --no-dev

ENTRYPOINT ["granary"]
CMD ["--help"]
