# Castline's images: `docker build --target cpu .`, and `train` or `gpu` in place of `cpu`
#
#   cpu     tags on a CPU with the bundled model and with any that is compiled
#   train   makes datasets and models, on a CPU, and draws pictures besides
#   gpu     all of it, and on a GPU
#
# The locks say which versions, by their hashes; the images hold no compiler and no package manager
# of ours, and run as a user who owns nothing but the volumes. Castline is a layer of its own above
# its dependencies, the same in all three: an upgrade of it moves megabytes.

FROM python:3.11-slim-bookworm AS build
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
RUN python -m pip install --no-cache-dir uv==0.13.9 \
    && uv venv /opt/castline --python /usr/local/bin/python
WORKDIR /source

FROM build AS build-castline
COPY . .
RUN uv pip install --no-cache --python /opt/castline/bin/python --no-deps --build-constraint requirements.lock .

FROM build AS build-cpu
COPY requirements-cpu.lock ./
RUN uv pip install --no-cache --python /opt/castline/bin/python --require-hashes -r requirements-cpu.lock

FROM build AS build-train
COPY requirements-train.lock ./
RUN uv pip install --no-cache --python /opt/castline/bin/python --require-hashes -r requirements-train.lock

FROM build AS build-gpu
COPY requirements-gpu.lock ./
RUN uv pip install --no-cache --python /opt/castline/bin/python --require-hashes -r requirements-gpu.lock

FROM python:3.11-slim-bookworm AS base
# The number is fixed, so that volumes keep their owner from one image to the next.
RUN groupadd --gid 10001 castline \
    && useradd --uid 10001 --gid castline --no-create-home --home-dir /tmp --shell /usr/sbin/nologin castline \
    && install --directory --owner=castline --group=castline /var/lib/castline /media
ENV PATH=/opt/castline/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    MPLCONFIGDIR=/tmp/matplotlib \
    KERAS_HOME=/tmp/keras \
    CASTLINE_HOME=/var/lib/castline \
    XDG_CACHE_HOME=/var/lib/castline/.cache \
    CASTLINE_MEDIA_ROOTS=/media \
    CASTLINE_LOG_FORMAT=json \
    CASTLINE_METRICS_PORT=9100
VOLUME ["/var/lib/castline"]
USER 10001:10001
WORKDIR /tmp
# A worker that answers here also says how deep the queue is and how long it has waited.
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request as web; web.urlopen('http://127.0.0.1:9100/metrics', timeout=8)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["castline"]
CMD ["worker"]

FROM base AS gpu
COPY --from=build-gpu /opt/castline /opt/castline
COPY --from=build-castline /opt/castline /opt/castline

FROM base AS train
COPY --from=build-train /opt/castline /opt/castline
COPY --from=build-castline /opt/castline /opt/castline

FROM base AS cpu
COPY --from=build-cpu /opt/castline /opt/castline
COPY --from=build-castline /opt/castline /opt/castline
