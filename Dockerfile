# Builds both programs and puts them into a small image that runs as nobody in particular.
FROM debian:12-slim AS build
COPY packaging/build-packages /tmp/
RUN apt-get update && grep -v '^#' /tmp/build-packages | xargs apt-get install -y --no-install-recommends dpkg-dev file check
COPY . /src
WORKDIR /src
RUN cmake --preset release && cmake --build --preset release --target quern quern-worker man && \
    cpack --config build/release/CPackConfig.cmake -B /deb

FROM debian:12-slim
COPY --from=build /deb/quern_*.deb /tmp/quern.deb
RUN apt-get update && apt-get install -y --no-install-recommends /tmp/quern.deb && \
    rm -rf /tmp/quern.deb /var/lib/apt/lists/* /etc/quern/*
USER 65532:65532
ENTRYPOINT []
CMD ["quern-worker"]
