FROM python:3.12-slim

# Where --persistent keeps its file; mount a volume here.
ENV FLOWER_DATA_DIR=/data \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

WORKDIR /src
COPY . .
RUN pip install --no-cache-dir . ./flower_plugins ./plugins/* \
    && rm -rf /src \
    && useradd --system --create-home --uid 1000 flower \
    && mkdir "$FLOWER_DATA_DIR" \
    && chown flower "$FLOWER_DATA_DIR"

WORKDIR $FLOWER_DATA_DIR
USER flower
VOLUME $FLOWER_DATA_DIR
EXPOSE 5555

ENTRYPOINT ["celery"]
CMD ["flower"]
