"""Schema evolution, format versions and properties."""

import pyarrow as pa
from checks import equal, ids, people, raises, rows, send
from pyiceberg.exceptions import BadRequestError, CommitFailedException, ValidationError
from pyiceberg.schema import Schema
from pyiceberg.types import (
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    ListType,
    LongType,
    MapType,
    NestedField,
    StringType,
    StructType,
)

SCHEMA = Schema(NestedField(1, "id", LongType()), NestedField(2, "name", StringType()))


def create(catalog, namespace, schema=SCHEMA, **more):
    return catalog.create_table((*namespace, "people"), schema, **more)


def columns(table):
    return [(field.field_id, field.name, str(field.field_type)) for field in table.schema().fields]


def test_add_column(catalog, namespace):
    """an added column is null in old rows, and its id is new"""
    table = create(catalog, namespace)
    table.append(people((1, "ada")))
    with table.update_schema() as update:
        update.add_column("born", IntegerType(), doc="year")
    born = people((2, "grace")).append_column("born", pa.array([1906], pa.int32()))
    table.append(born)
    table = catalog.load_table(table.name())
    equal(columns(table), [(1, "id", "long"), (2, "name", "string"), (3, "born", "int")])
    equal(rows(table), [(1, "ada", None), (2, "grace", 1906)])
    equal((table.schema().schema_id, sorted(table.schemas()), table.metadata.last_column_id), (1, [0, 1], 3))
    equal(table.schema().find_field("born").doc, "year")


def test_rename_column(catalog, namespace):
    """a renamed column keeps its id, and with it what was written"""
    table = create(catalog, namespace)
    table.append(people((1, "ada")))
    with table.update_schema() as update:
        update.rename_column("name", "called")
    table = catalog.load_table(table.name())
    equal(columns(table), [(1, "id", "long"), (2, "called", "string")])
    equal(table.scan().to_arrow().to_pylist(), [{"id": 1, "called": "ada"}])


def test_drop_column(catalog, namespace):
    """a column dropped and added again by the same name is a new one and empty"""
    table = create(catalog, namespace)
    table.append(people((1, "ada")))
    with table.update_schema() as update:
        update.delete_column("name")
    equal(catalog.load_table(table.name()).scan().to_arrow().to_pylist(), [{"id": 1}])
    with table.update_schema() as update:
        update.add_column("name", StringType())
    table = catalog.load_table(table.name())
    equal(columns(table), [(1, "id", "long"), (3, "name", "string")])
    equal(table.scan().to_arrow().to_pylist(), [{"id": 1, "name": None}])


def test_move_column(catalog, namespace):
    """columns are reordered by name and their values follow"""
    table = create(catalog, namespace)
    table.append(people((1, "ada")))
    with table.update_schema() as update:
        update.add_column("born", IntegerType())
        update.move_first("name")
        update.move_before("born", "id")
    table = catalog.load_table(table.name())
    equal([name for _, name, _ in columns(table)], ["name", "born", "id"])
    equal(rows(table), [("ada", None, 1)])


def test_widen_column(catalog, namespace):
    """int becomes long, float double and a decimal more precise; the way back is refused"""
    schema = Schema(
        NestedField(1, "count", IntegerType()),
        NestedField(2, "ratio", FloatType()),
        NestedField(3, "price", DecimalType(9, 2)),
    )
    table = create(catalog, namespace, schema)
    table.append(pa.table({"count": pa.array([1], pa.int32()), "ratio": pa.array([0.5], pa.float32())}))
    with table.update_schema() as update:
        update.update_column("count", LongType())
        update.update_column("ratio", DoubleType())
        update.update_column("price", DecimalType(20, 2))
    table.append(pa.table({"count": pa.array([2**40], pa.int64()), "ratio": pa.array([1e300], pa.float64())}))
    table = catalog.load_table(table.name())
    equal([kind for _, _, kind in columns(table)], ["long", "double", "decimal(20, 2)"])
    equal(rows(table), [(1, 0.5, None), (2**40, 1e300, None)])
    with raises(ValidationError):
        with table.update_schema() as update:
            update.update_column("count", IntegerType())


def test_nested_columns(catalog, namespace):
    """fields of structs in lists and maps are added, renamed and dropped"""
    point = StructType(NestedField(5, "x", IntegerType()), NestedField(6, "y", IntegerType()))
    schema = Schema(
        NestedField(1, "path", ListType(3, point, element_required=False)),
        NestedField(2, "tags", MapType(7, StringType(), 8, LongType(), value_required=False)),
    )
    table = create(catalog, namespace, schema)
    table.append(pa.Table.from_pylist([{"path": [{"x": 1, "y": 2}], "tags": [("a", 1)]}], table.schema().as_arrow()))
    with table.update_schema() as update:
        update.add_column(("path", "z"), IntegerType())
        update.rename_column("path.x", "left")
        update.delete_column("path.y")
    table = catalog.load_table(table.name())
    equal(table.scan().to_arrow().to_pylist(), [{"path": [{"left": 1, "z": None}], "tags": [("a", 1)]}])
    equal(table.metadata.last_column_id, 8)


def test_required_column(catalog, namespace):
    """a required column becomes optional"""
    schema = Schema(NestedField(1, "id", LongType(), required=True))
    table = create(catalog, namespace, schema)
    with table.update_schema() as update:
        update.make_column_optional("id")
    equal(catalog.load_table(table.name()).schema().find_field("id").required, False)


def test_union_by_name(catalog, namespace):
    """a schema is widened by the union with another one"""
    table = create(catalog, namespace)
    with table.update_schema() as update:
        update.union_by_name(people().append_column("born", pa.array([], pa.int32())).schema)
    equal([name for _, name, _ in columns(catalog.load_table(table.name()))], ["id", "name", "born"])


def test_concurrent_schemas(catalog, namespace):
    """of two clients that add a column each to the same schema the second is refused"""
    table = create(catalog, namespace)
    stale = catalog.load_table(table.name()).update_schema().add_column("b", LongType())
    with table.update_schema() as update:
        update.add_column("a", LongType())
    with raises(CommitFailedException, "schema"):
        stale.commit()
    equal([name for _, name, _ in columns(catalog.load_table(table.name()))], ["id", "name", "a"])


def test_old_schema(catalog, namespace):
    """a snapshot is read with the schema it was written with"""
    table = create(catalog, namespace)
    table.append(people((1, "ada")))
    first = table.current_snapshot().snapshot_id
    with table.update_schema() as update:
        update.rename_column("name", "called")
    table = catalog.load_table(table.name())
    equal(table.scan(snapshot_id=first).to_arrow().to_pylist(), [{"id": 1, "name": "ada"}])


def test_version_1(catalog, namespace):
    """a table of format version 1 is written, read and upgraded to 2"""
    table = create(catalog, namespace, properties={"format-version": "1"})
    equal(table.format_version, 1)
    table.append(people((1, "ada"), (2, "grace")))
    table.delete("id = 1")
    table = catalog.load_table(table.name())
    equal((table.format_version, ids(table), "format-version" in table.properties), (1, [2], False))
    with table.transaction() as transaction:
        transaction.upgrade_table_version(2)
    table.append(people((3, "edsger")))
    table = catalog.load_table(table.name())
    equal((table.format_version, ids(table), table.last_sequence_number), (2, [2, 3], 1))


def test_version_3(catalog, namespace):
    """a table upgraded to format version 3 is read as before"""
    table = create(catalog, namespace)
    table.append(people((1, "ada"), (2, "grace")))
    body = {"requirements": [], "updates": [{"action": "upgrade-format-version", "format-version": 3}]}
    status, answer = send(catalog, "POST", f"namespaces/{namespace[0]}/tables/people", body)
    equal(status, 200)
    equal((answer["metadata"]["format-version"], answer["metadata"]["next-row-id"]), (3, 0))
    table = catalog.load_table(table.name())
    equal((table.format_version, rows(table)), (3, [(1, "ada"), (2, "grace")]))


def test_version_unknown(catalog, namespace):
    """format versions that do not exist, and downgrades, are refused"""
    create(catalog, namespace)
    body = {"requirements": [], "updates": [{"action": "upgrade-format-version", "format-version": 1}]}
    equal(send(catalog, "POST", f"namespaces/{namespace[0]}/tables/people", body)[0], 400)
    with raises(BadRequestError, "format version"):
        catalog.create_table((*namespace, "new"), SCHEMA, properties={"format-version": "4"})
    equal(catalog.table_exists((*namespace, "new")), False)


def test_properties(catalog, namespace):
    """properties are set, changed and removed"""
    table = create(catalog, namespace, properties={"owner": "ada", "comment": "naïve ☃"})
    equal((table.properties["owner"], table.properties["comment"]), ("ada", "naïve ☃"))
    table.transaction().set_properties(owner="grace", extra="1").commit_transaction()
    table.transaction().remove_properties("comment").commit_transaction()
    table = catalog.load_table(table.name())
    kept = {key: value for key, value in table.properties.items() if not key.startswith("write.")}
    equal(kept, {"owner": "grace", "extra": "1"})


def test_independent_commits(catalog, namespace):
    """clients that loaded the same table may change independent things one after the other"""
    create(catalog, namespace)
    one, other = (catalog.load_table((*namespace, "people")) for _ in range(2))
    one.transaction().set_properties(a="1").commit_transaction()
    other.transaction().set_properties(b="2").commit_transaction()
    found = catalog.load_table((*namespace, "people")).properties
    equal((found.get("a"), found.get("b")), ("1", "2"))
