# One target a service: docker build --target router .  (npm run images builds all)
# The base image needs Node and nothing else: no shell, no package manager.
ARG BUILD_IMAGE=docker.io/library/node:24-bookworm-slim
ARG BASE_IMAGE=gcr.io/distroless/nodejs24-debian12:nonroot

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
ENV TURBO_TELEMETRY_DISABLED=1 DO_NOT_TRACK=1
COPY . .
RUN npm ci --no-audit --no-fund && npm run build
RUN for service in router shard publisher control; do node scripts/images/copy-service.mjs "$service" "/out/$service"; done

FROM ${BASE_IMAGE} AS base
# Distroless has Node in /nodejs/bin, others have it on their own path.
# Health checks and scrapes come from outside the container.
ENV NODE_ENV=production WEIR_ADMIN_HOST=0.0.0.0 WEIR_ADMIN_PORT=9090 PATH=/nodejs/bin:/usr/local/bin:/usr/bin:/bin
WORKDIR /app
USER 65532:65532
# Node is process 1 and gets the signals; it writes nothing, so the root file system may be read-only.
ENTRYPOINT ["node"]

FROM base AS router
COPY --from=build /out/router /app
EXPOSE 8080 9090
CMD ["services/router/dist/bundle/main.js"]

FROM base AS shard
COPY --from=build /out/shard /app
EXPOSE 8081 9090
CMD ["services/shard/dist/bundle/main.js"]

FROM base AS publisher
COPY --from=build /out/publisher /app
EXPOSE 8082 9090
CMD ["services/publisher/dist/bundle/main.js"]

FROM base AS control
COPY --from=build /out/control /app
# The console is read by a Service or a port-forward.
ENV WEIR_CONSOLE_HOST=0.0.0.0
EXPOSE 8443 7704 9090
CMD ["services/control/dist/bundle/main.js"]
