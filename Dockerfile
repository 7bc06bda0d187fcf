# syntax=docker/dockerfile:1
# Both stages use one Python, so that the environment built in the first works in the second.
# Pin what was tested: --build-arg PYTHON_IMAGE=python:3.13-slim@sha256:…
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
COPY requirements.txt ./
# hadolint ignore=DL3042
RUN python -m venv /opt/wasmcloud-secrets \
 && /opt/wasmcloud-secrets/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt
COPY dist/*.whl ./
RUN /opt/wasmcloud-secrets/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-index ./*.whl \
 && /opt/wasmcloud-secrets/bin/pip uninstall --yes pip \
 && /opt/wasmcloud-secrets/bin/python -m compileall -q /opt/wasmcloud-secrets/lib

FROM ${PYTHON_IMAGE}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="wasmcloud-secrets" \
      org.opencontainers.image.description="A secrets backend for wasmCloud hosts" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/wasmcloud-secrets /opt/wasmcloud-secrets
COPY dist/sbom.cdx.json /usr/share/wasmcloud-secrets/sbom.cdx.json
ENV PATH=/opt/wasmcloud-secrets/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    ADMIN_ADDR=127.0.0.1:9090
# Any other user works as well: nothing in the image belongs to this one, and nothing is written.
USER 65532:65532
WORKDIR /
# Is it alive, not is it ready: who restarts what is not well must not restart it for a store that is away.
HEALTHCHECK --interval=30s --timeout=3s --start-period=30s --retries=3 \
  CMD ["wasmcloud-secrets", "healthcheck", "--live"]
# The service is process 1 itself: it takes SIGTERM and SIGHUP, and starts nothing that it does not wait for.
ENTRYPOINT ["wasmcloud-secrets"]
CMD ["serve"]
