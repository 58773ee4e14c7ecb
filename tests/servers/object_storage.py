"""A real S3 server for tests, and a client of it that is not ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BUCKET = "castline"

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "castline",
    "AWS_SECRET_ACCESS_KEY": "long-and-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@dataclass(frozen=True)
class ObjectStorage:
    """A running server with one empty bucket."""

    endpoint: str
    client: Any

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to know of it."""
        return CREDENTIALS | {"AWS_ENDPOINT_URL": self.endpoint}

    def keys(self, prefix: str = "") -> list[str]:
        """The names of the objects below a prefix."""
        listed = self.client.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [item["Key"] for item in listed.get("Contents", [])]

    def put(self, path: Path, key: str) -> str:
        """Upload a file; returns its URL."""
        self.client.upload_file(str(path), BUCKET, key)
        return f"s3://{BUCKET}/{key}"

    def content(self, key: str) -> bytes:
        """What an object holds."""
        body: bytes = self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body


@contextmanager
def object_storage() -> Iterator[ObjectStorage]:
    """Start a server on a free port of this machine, and stop it at the end."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
        )
        client.create_bucket(Bucket=BUCKET)
        yield ObjectStorage(endpoint, client)
    finally:
        server.stop()
