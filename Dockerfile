# relightflow from this checkout: docker build -t relightflow .
# Run it as your own user, with the project as the working directory:
#   docker run --rm -u "$(id -u):$(id -g)" -v "$PWD:/work" relightflow plan recipes/catalogue.yaml
FROM python:3.13-slim AS build
WORKDIR /source
COPY requirements/run.txt requirements/run.txt
RUN python -m venv /opt/relightflow \
 && /opt/relightflow/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
    --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY relightflow relightflow
COPY schemas schemas
RUN /opt/relightflow/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
    --no-deps --no-build-isolation .

FROM python:3.13-slim
COPY --from=build /opt/relightflow /opt/relightflow
ENV PATH="/opt/relightflow/bin:$PATH"
RUN useradd --create-home --uid 1000 relightflow
USER relightflow
WORKDIR /work
ENTRYPOINT ["relightflow"]
CMD ["--help"]
