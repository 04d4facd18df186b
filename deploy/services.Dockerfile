# What docker-compose.yml runs: NATS and the five services. Build context: this file as Dockerfile, node (a Node 24 binary),
# app/ (the compiled workspaces with the packages they need in production). `./mesh compose-init` builds it.
FROM debian:trixie-slim

RUN set -eux; \
    export DEBIAN_FRONTEND=noninteractive; \
    apt-get update -q; \
    apt-get install -y -q --no-install-recommends ca-certificates nats-server tini; \
    apt-get clean; \
    rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/*

COPY node /usr/local/bin/node
COPY app/ /app/

ENV NODE_ENV=production
WORKDIR /app
ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["node", "packages/cli/dist/main.js", "--help"]
