"""PyIceberg on S3, with nothing but the address of a catalog and a token. Most of it is what test/interop does on files."""

import os
import pathlib

# Nobody goes and looks for the credentials of a cloud this may run in.
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

from checks import equal, files_under, ids, people
from lifecycle import test_abandoned_creation, test_create_in_transaction, test_register_overwrites, test_rename
from rows import (
    test_append,
    test_delete,
    test_dynamic_overwrite,
    test_filters,
    test_overwrite,
    test_overwrite_filter,
    test_stale_commit,
    test_transaction,
    test_types,
    test_upsert,
)
from schema import test_add_column, test_rename_column, test_version_3, test_widen_column
from session import append, append_each, connect, create, drop, properties, read, session, set_each, snapshots
from views import create as create_view_in
from views import sql_of, test_create, test_replace


def surroundings():
    """What this process has that leads to a storage, besides the catalog: variables, and files of its home."""
    names = [name for name in os.environ if name.startswith(("AWS_", "PYICEBERG_", "S3_"))]
    return {"variables": names, "files": [name for name in files_under(pathlib.Path.home()) if "aws" in name or "pyiceberg" in name]}


def load_io(name):
    """What opens a table's files, and what it was told of S3."""
    io = session["catalog"].load_table(name).io
    told = {key: value for key, value in io.properties.items() if key.startswith(("s3.", "client."))}
    return {"type": type(io).__name__, "told": told}


def overwrite(name, numbers):
    session["catalog"].load_table(name).overwrite(people(*((number, "y") for number in numbers)))


def delete(name, row_filter):
    session["catalog"].load_table(name).delete(row_filter)


def write_file(name, location):
    """Writes a file with what was vended for a table."""
    with session["catalog"].load_table(name).io.new_output(location).create() as file:
        file.write(b"x")


def create_view(name):
    namespace, view = name.split(".")
    create_view_in(session["catalog"], (namespace,), view)


def read_view(name):
    return sql_of(session["catalog"].load_view(name))


def test_paths(catalog, namespace, connect):
    """a table whose data lies elsewhere in the warehouse is written there, and read"""
    elsewhere = f"s3://lake/wh/elsewhere/{namespace[0]}"
    table = catalog.create_table((*namespace, "people"), people().schema, properties={"write.data.path": elsewhere})
    table.append(people((1, "ada")))
    (task,) = connect().load_table(table.name()).scan().plan_files()
    assert task.file.file_path.startswith(f"{elsewhere}/"), task.file.file_path
    equal(ids(connect().load_table(table.name())), [1])
