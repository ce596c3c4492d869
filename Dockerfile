# Builds both programs and puts them into a small image that runs as nobody.
FROM debian:12-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential cmake ninja-build \
        pkg-config check libcsv-dev libcurl4-openssl-dev libev-dev libfyaml-dev libpq-dev \
        librdkafka-dev libssl-dev libxxhash-dev uthash-dev
COPY . /src
WORKDIR /src
RUN cmake --preset release && cmake --build --preset release --target quern quern-worker man && \
    cmake --install build/release --prefix /usr --strip

FROM debian:12-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libcsv3 libcurl4 \
        libev4 libfyaml0 libpq5 librdkafka1 libssl3 libxxhash0 && rm -rf /var/lib/apt/lists/*
COPY --from=build /usr/bin/quern /usr/bin/quern-worker /usr/bin/
USER nobody
ENTRYPOINT []
CMD ["quern-worker"]
