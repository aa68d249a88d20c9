# One image for web, worker and the embedded server. Run it with `docker run --init`, so that
# grandchildren which lost their parent are reaped.

# The full image brings git; nothing of this stage but the virtual environment is kept.
FROM python:3.11-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY requirements requirements
COPY scripts scripts
COPY bot bot
RUN scripts/setup --runtime --no-editable --venv /opt/previewbot

FROM python:3.11-slim-bookworm
COPY scripts/system-parts /usr/local/libexec/previewbot/system-parts
RUN /usr/local/libexec/previewbot/system-parts git && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin previewbot \
    && install --directory --owner previewbot --mode 0700 /data
COPY --from=build /opt/previewbot /opt/previewbot
ENV PATH=/opt/previewbot/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PREVIEWBOT_DATA_DIR=/data
USER previewbot
WORKDIR /data
VOLUME /data
ENTRYPOINT ["previewbot"]
CMD ["--help"]
