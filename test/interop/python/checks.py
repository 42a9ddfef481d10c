"""What the tests have in common."""

import json
import pathlib
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager

import pyarrow as pa


@contextmanager
def raises(kind, saying=""):
    """The block must raise exactly this, with a message that contains this."""
    try:
        yield
    except kind as error:
        assert saying in str(error), f"{saying!r} is not in: {error}"
        return
    raise AssertionError(f"{kind.__name__} was not raised")


def equal(actual, expected):
    assert actual == expected, f"\n  is     {actual!r}\n  not    {expected!r}"


def people(*rows):
    """An Arrow table of (id, name) rows."""
    return pa.table(
        {
            "id": pa.array([row[0] for row in rows], pa.int64()),
            "name": pa.array([row[1] for row in rows], pa.string()),
        }
    )


def rows(table, **scan):
    """The rows of a scan as sorted tuples."""
    return sorted(tuple(row.values()) for row in table.scan(**scan).to_arrow().to_pylist())


def ids(table, **scan):
    return sorted(table.scan(**scan).to_arrow()["id"].to_pylist())


def files_under(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def path_of(location):
    """The path of a file: location."""
    parts = urllib.parse.urlsplit(location)
    equal(parts.scheme, "file")
    return pathlib.Path(parts.path)


def send(catalog, method, path, body=None):
    """A request that PyIceberg has no method for; answers (status, parsed body or None)."""
    request = urllib.request.Request(
        f"{catalog.uri.rstrip('/')}/v1/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {catalog.properties['token']}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request) as response:
            text = response.read()
            return response.status, json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        text = error.read()
        return error.code, json.loads(text) if text else None
