"""Writing rows and reading them back."""

import datetime
import decimal
import uuid

import pyarrow as pa
import pyarrow.parquet as pq
from checks import equal, ids, path_of, people, raises, rows
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.expressions import And, EqualTo, GreaterThan, In, IsNull, StartsWith
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table.update import AssertRefSnapshotId, SetPropertiesUpdate
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import LongType, NestedField, StringType

PEOPLE = people((1, "ada"), (2, "grace"), (3, "edsger"))


def create(catalog, namespace, data=PEOPLE, name="people", **more):
    table = catalog.create_table((*namespace, name), data.schema, **more)
    table.append(data)
    return table


def test_empty(catalog, namespace):
    """a new table is empty, and reads as its schema"""
    table = catalog.create_table((*namespace, "people"), PEOPLE.schema)
    found = table.scan().to_arrow()
    equal((found.num_rows, found.schema.names), (0, ["id", "name"]))
    equal(catalog.load_table((*namespace, "people")).current_snapshot(), None)


def test_append(catalog, namespace):
    """appended rows are read back as they were, also by a client that loads the table anew"""
    create(catalog, namespace).append(people((4, "barbara")))
    table = catalog.load_table((*namespace, "people"))
    expected = pa.concat_tables([PEOPLE, people((4, "barbara"))])
    equal(table.scan().to_arrow().sort_by("id").cast(expected.schema), expected)
    equal(len(table.snapshots()), 2)
    equal([entry.snapshot_id for entry in table.history()], [one.snapshot_id for one in table.snapshots()])


def test_types(catalog, namespace):
    """every primitive and nested type comes back as it was written"""
    day = datetime.date(2024, 2, 29)
    moment = datetime.datetime(2024, 2, 29, 12, 34, 56, 789012)
    data = pa.table(
        {
            "flag": pa.array([True, None]),
            "small": pa.array([-(2**31), 2**31 - 1], pa.int32()),
            "large": pa.array([-(2**63), 2**63 - 1], pa.int64()),
            "single": pa.array([1.5, None], pa.float32()),
            "double": pa.array([1e300, float("-inf")], pa.float64()),
            "price": pa.array([decimal.Decimal("-12345678.90"), None], pa.decimal128(38, 2)),
            "day": pa.array([day, None], pa.date32()),
            "hour": pa.array([datetime.time(23, 59, 59, 999999), None], pa.time64("us")),
            "local": pa.array([moment, None], pa.timestamp("us")),
            "moment": pa.array([moment.replace(tzinfo=datetime.timezone.utc), None], pa.timestamp("us", "UTC")),
            "text": pa.array(["naïve ☃ 🦔", ""], pa.large_string()),
            "bytes": pa.array([b"\x00\xff", None], pa.large_binary()),
            "fixed": pa.array([b"0123456789abcdef", None], pa.binary(16)),
            "list": pa.array([[1, None, 3], []], pa.large_list(pa.int64())),
            "map": pa.array([[("a", 1)], None], pa.map_(pa.large_string(), pa.int64())),
            "struct": pa.array([{"x": 1, "y": {"z": "deep"}}, None]),
        }
    )
    table = create(catalog, namespace, data)
    equal(catalog.load_table(table.name()).scan().to_arrow().to_pylist(), data.to_pylist())


def test_uuid(catalog, namespace):
    """a uuid column comes back as it was written"""
    data = pa.table({"id": pa.array([uuid.UUID(int=1).bytes, uuid.UUID(int=2**127).bytes], pa.uuid())})
    table = create(catalog, namespace, data)
    found = catalog.load_table(table.name()).scan().to_arrow()["id"].to_pylist()
    equal([str(one if isinstance(one, uuid.UUID) else uuid.UUID(bytes=one)) for one in found],
          [str(uuid.UUID(int=1)), str(uuid.UUID(int=2**127))])


def test_filters(catalog, namespace):
    """filters, projections and limits are answered from what was written"""
    table = create(catalog, namespace)
    equal(ids(table, row_filter=GreaterThan("id", 1)), [2, 3])
    equal(ids(table, row_filter=In("name", {"ada", "grace"})), [1, 2])
    equal(ids(table, row_filter=And(StartsWith("name", "e"), GreaterThan("id", 0))), [3])
    equal(ids(table, row_filter="id = 2 or name = 'ada'"), [1, 2])
    equal(ids(table, row_filter=IsNull("name")), [])
    equal(rows(table, selected_fields=("name",)), [("ada",), ("edsger",), ("grace",)])
    equal(table.scan(limit=2).to_arrow().num_rows, 2)
    equal(table.scan(row_filter="id > 1").count(), 2)


def test_overwrite(catalog, namespace):
    """an overwrite leaves its own rows only; it is a delete and an append in one commit"""
    table = create(catalog, namespace)
    before = table.metadata_location
    table.overwrite(people((7, "niklaus")))
    table = catalog.load_table(table.name())
    equal(rows(table), [(7, "niklaus")])
    equal([one.summary.operation.value for one in table.snapshots()], ["append", "delete", "append"])
    equal([entry.metadata_file for entry in table.metadata.metadata_log][-1], before)


def test_overwrite_filter(catalog, namespace):
    """an overwrite with a filter replaces the rows that match, also within a file"""
    table = create(catalog, namespace)
    table.overwrite(people((2, "GRACE")), overwrite_filter=EqualTo("id", 2))
    equal(rows(catalog.load_table(table.name())), [(1, "ada"), (2, "GRACE"), (3, "edsger")])


def test_delete(catalog, namespace):
    """a delete removes the rows that match and keeps the others"""
    table = create(catalog, namespace)
    table.delete(EqualTo("name", "grace"))
    equal(rows(catalog.load_table(table.name())), [(1, "ada"), (3, "edsger")])
    table.delete("id > 0")
    equal(rows(catalog.load_table(table.name())), [])


def test_upsert(catalog, namespace):
    """an upsert updates what is there and inserts what is not"""
    schema = Schema(
        NestedField(1, "id", LongType(), required=True),
        NestedField(2, "name", StringType()),
        identifier_field_ids=[1],
    )
    table = catalog.create_table((*namespace, "people"), schema)
    equal(catalog.load_table(table.name()).schema().identifier_field_ids, [1])
    required = pa.schema([pa.field("id", pa.int64(), nullable=False), pa.field("name", pa.string())])
    table.append(PEOPLE.cast(required))
    result = table.upsert(people((2, "GRACE"), (3, "edsger"), (9, "donald")).cast(required))
    equal((result.rows_updated, result.rows_inserted), (1, 1))
    expected = [(1, "ada"), (2, "GRACE"), (3, "edsger"), (9, "donald")]
    equal(rows(catalog.load_table(table.name())), expected)


def test_dynamic_overwrite(catalog, namespace):
    """a dynamic overwrite replaces the partitions it writes to and no others"""
    schema = Schema(NestedField(1, "id", LongType()), NestedField(2, "name", StringType()))
    spec = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "name"))
    table = catalog.create_table((*namespace, "people"), schema, partition_spec=spec)
    table.append(people((1, "ada"), (2, "ada"), (3, "grace")))
    table.dynamic_partition_overwrite(people((9, "ada")))
    equal(rows(catalog.load_table(table.name())), [(3, "grace"), (9, "ada")])


def test_add_files(catalog, namespace):
    """Parquet files that lie in the table's folder already can be added"""
    table = catalog.create_table((*namespace, "people"), PEOPLE.schema)
    file = path_of(table.location()) / "data" / "found.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(PEOPLE, file)
    table.add_files([f"file://{file}"])
    equal(rows(catalog.load_table(table.name())), [(1, "ada"), (2, "grace"), (3, "edsger")])


def test_transaction(catalog, namespace):
    """a transaction of several writes is one commit, and one that fails leaves nothing"""
    table = create(catalog, namespace)
    before = table.metadata_location
    with table.transaction() as transaction:
        transaction.append(people((4, "barbara")))
        transaction.delete("id = 1")
        transaction.set_properties(owner="ada")
    table = catalog.load_table(table.name())
    equal((ids(table), table.properties.get("owner")), ([2, 3, 4], "ada"))
    equal(table.metadata.metadata_log[-1].metadata_file, before)
    with raises(ZeroDivisionError):
        with table.transaction() as transaction:
            transaction.append(people((5, "tony")))
            1 / 0
    equal(ids(catalog.load_table(table.name())), [2, 3, 4])


def test_stale_commit(catalog, namespace):
    """a commit whose requirement no longer holds is refused, and what the other client wrote is kept"""
    table = create(catalog, namespace)
    stale = catalog.load_table(table.name())
    table.delete("id = 1")
    head = AssertRefSnapshotId(ref="main", snapshot_id=stale.current_snapshot().snapshot_id)
    with raises(CommitFailedException, "main"):
        catalog.commit_table(stale, (head,), (SetPropertiesUpdate(updates={"owner": "ada"}),))
    table = catalog.load_table(table.name())
    equal((ids(table), "owner" in table.properties), ([2, 3], False))


def test_many_snapshots(catalog, namespace):
    """30 appends leave 30 snapshots with rising sequence numbers, and every row"""
    table = catalog.create_table((*namespace, "people"), PEOPLE.schema)
    for number in range(30):
        table.append(people((number, "x")))
    table = catalog.load_table(table.name())
    equal(ids(table), list(range(30)))
    equal([one.sequence_number for one in table.snapshots()], list(range(1, 31)))
    equal(table.last_sequence_number, 30)
