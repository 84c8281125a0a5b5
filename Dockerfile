# llmlora with the page, PostgreSQL's driver and TensorBoard. Guide: docs/guide/server.md

FROM python:3.12-slim AS build
# Empty takes PyTorch with CUDA from the ordinary index.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /source
COPY .ci .ci
COPY constraints.txt .
RUN python -m venv /opt/llmlora \
 && TORCH="$(grep ^torch== constraints.txt)" TORCH_INDEX="$TORCH_INDEX" sh .ci/install-torch /opt/llmlora/bin/python
COPY pyproject.toml hatch_build.py mkdocs.yml README.md README.ja.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE ./
COPY docs docs
COPY web web
COPY src src
RUN python -m venv /opt/builder \
 && /opt/builder/bin/pip install --no-cache-dir build \
 && /opt/builder/bin/python -m build --wheel --outdir /wheels
RUN /opt/llmlora/bin/pip install --no-cache-dir -c constraints.txt tensorboard \
      "llmlora[train,postgres] @ file://$(ls /wheels/*.whl)"

FROM python:3.12-slim
RUN useradd --uid 1000 --create-home llmlora && install -d -o llmlora -g llmlora /data
COPY --from=build /opt/llmlora /opt/llmlora
ENV PATH=/opt/llmlora/bin:$PATH \
    LLMLORA_HOME=/data \
    PYTHONUNBUFFERED=1
USER llmlora
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["llmlora", "serve"]
