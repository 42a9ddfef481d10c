"""Tables come, are renamed, registered and go."""

from checks import equal, files_under, ids, path_of, people, raises, rows, send
from pyiceberg.exceptions import (
    BadRequestError,
    CommitFailedException,
    NoSuchNamespaceError,
    NoSuchTableError,
    RESTError,
    TableAlreadyExistsError,
)
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table.sorting import SortField, SortOrder
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import LongType, NestedField, StringType

PEOPLE = people((1, "ada"), (2, "grace"))


def create(catalog, namespace, name="people"):
    table = catalog.create_table((*namespace, name), PEOPLE.schema)
    table.append(PEOPLE)
    return table


def test_create_in_transaction(catalog, namespace):
    """a table created in a transaction appears with its rows, and not before"""
    identifier = (*namespace, "people")
    schema = Schema(NestedField(7, "id", LongType()), NestedField(9, "name", StringType()))
    spec = PartitionSpec(PartitionField(9, 1000, IdentityTransform(), "name"))
    order = SortOrder(SortField(7, IdentityTransform()))
    more = {"partition_spec": spec, "sort_order": order, "properties": {"owner": "ada"}}
    with catalog.create_table_transaction(identifier, schema, **more) as transaction:
        transaction.append(PEOPLE)
        equal((catalog.table_exists(identifier), catalog.list_tables(namespace)), (False, []))
        staged = transaction.table_metadata
    table = catalog.load_table(identifier)
    equal((rows(table), table.properties["owner"]), ([(1, "ada"), (2, "grace")], "ada"))
    equal((table.metadata.table_uuid, table.location()), (staged.table_uuid, staged.location))
    equal([(one.field_id, one.name) for one in table.schema().fields], [(1, "id"), (2, "name")])
    equal((table.spec().fields[0].name, table.sort_order().fields[0].source_id), ("name", 1))
    equal(table.metadata_location.rsplit("/", 1)[1].split("-")[0], "00000")
    equal(table.metadata.metadata_log, [])


def test_abandoned_creation(catalog, namespace):
    """a transaction that fails creates nothing and reserves no name"""
    identifier = (*namespace, "people")
    with raises(ZeroDivisionError):
        with catalog.create_table_transaction(identifier, PEOPLE.schema) as transaction:
            transaction.append(PEOPLE)
            1 / 0
    equal(catalog.table_exists(identifier), False)
    equal(ids(create(catalog, namespace)), [1, 2])


def test_creation_race(catalog, namespace):
    """of two transactions that create the same table the second is refused"""
    identifier = (*namespace, "people")
    transaction = catalog.create_table_transaction(identifier, PEOPLE.schema)
    transaction.append(PEOPLE)
    create(catalog, namespace).append(people((3, "edsger")))
    with raises((CommitFailedException, TableAlreadyExistsError), "already exists"):
        transaction.commit_transaction()
    equal(ids(catalog.load_table(identifier)), [1, 2, 3])


def test_exists(catalog, namespace):
    """existence is told without loading, and a missing thing is named in the error"""
    identifier = (*namespace, "people")
    equal(catalog.table_exists(identifier), False)
    with raises(NoSuchTableError, f"Table does not exist: {namespace[0]}.people"):
        catalog.load_table(identifier)
    create(catalog, namespace)
    equal((catalog.table_exists(identifier), catalog.table_exists(("nowhere", "people"))), (True, False))
    with raises(TableAlreadyExistsError, f"Table already exists: {namespace[0]}.people"):
        catalog.create_table(identifier, PEOPLE.schema)
    equal(ids(catalog.create_table_if_not_exists(identifier, PEOPLE.schema)), [1, 2])
    with raises(NoSuchNamespaceError, "Namespace does not exist: nowhere"):
        catalog.create_table(("nowhere", "people"), PEOPLE.schema)


def test_rename(catalog, namespace):
    """a renamed table is the same table elsewhere, also in another namespace"""
    table = create(catalog, namespace)
    other = (*namespace, "inner")
    catalog.create_namespace(other)
    catalog.rename_table(table.name(), (*namespace, "persons"))
    catalog.rename_table((*namespace, "persons"), (*other, "people"))
    moved = catalog.load_table((*other, "people"))
    equal((ids(moved), moved.metadata.table_uuid), ([1, 2], table.metadata.table_uuid))
    equal((moved.location(), moved.metadata_location), (table.location(), table.metadata_location))
    equal((catalog.list_tables(namespace), catalog.list_tables(other)), ([], [(*other, "people")]))
    with raises(RESTError, "NoSuchTableException: Table does not exist"):
        table.append(PEOPLE)


def test_rename_refused(catalog, namespace):
    """a rename onto a table, out of nothing or into no namespace is refused"""
    create(catalog, namespace, "a")
    create(catalog, namespace, "b")
    with raises(TableAlreadyExistsError, "already exists"):
        catalog.rename_table((*namespace, "a"), (*namespace, "b"))
    with raises(NoSuchTableError, "does not exist"):
        catalog.rename_table((*namespace, "c"), (*namespace, "d"))
    with raises(NoSuchNamespaceError, "nowhere"):
        catalog.rename_table((*namespace, "a"), ("nowhere", "a"))
    equal(sorted(name for *_, name in catalog.list_tables(namespace)), ["a", "b"])


def test_renamed_name_is_free(catalog, namespace):
    """after a rename the old name is free, and the two tables do not share a folder"""
    table = create(catalog, namespace)
    catalog.rename_table(table.name(), (*namespace, "old"))
    create(catalog, namespace).append(people((3, "edsger")))
    old, new = (catalog.load_table((*namespace, name)) for name in ("old", "people"))
    equal((ids(old), ids(new)), ([1, 2], [1, 2, 3]))
    assert old.location() != new.location(), old.location()
    catalog.purge_table(new.name())
    equal(ids(catalog.load_table(old.name())), [1, 2])


def test_drop(catalog, namespace):
    """a dropped table is gone and its files stay; a second drop finds nothing"""
    table = create(catalog, namespace)
    folder = path_of(table.location())
    before = files_under(folder)
    catalog.drop_table(table.name())
    equal((catalog.table_exists(table.name()), files_under(folder)), (False, before))
    with raises(NoSuchTableError):
        catalog.drop_table(table.name())


def test_dropped_and_created(catalog, namespace):
    """a table created by the name of a dropped one is another: stale clients cannot write to it"""
    stale = create(catalog, namespace)
    catalog.drop_table(stale.name())
    fresh = create(catalog, namespace)
    assert fresh.metadata.table_uuid != stale.metadata.table_uuid
    with raises(CommitFailedException, "Requirement failed: UUID does not match"):
        stale.transaction().set_properties(owner="ada").commit_transaction()
    equal(ids(catalog.load_table(fresh.name())), [1, 2])


def test_purge(catalog, namespace, warehouse):
    """a purge removes every file of the table and nothing outside of it"""
    table = create(catalog, namespace)
    other = create(catalog, namespace, "others")
    for number in (3, 4):
        table.append(people((number, "x")))
    table.delete("id = 1")
    table.overwrite(people((9, "x")))
    folder = path_of(table.location())
    stranger = folder.parent / "not-ours.txt"
    stranger.write_text("x")
    kinds = {name.rsplit(".", 1)[1] for name in files_under(folder)}
    equal(kinds, {"avro", "json", "parquet"})
    outside = [name for name in files_under(warehouse) if not (warehouse / name).is_relative_to(folder)]
    catalog.purge_table(table.name())
    equal(files_under(folder) if folder.exists() else [], [])
    equal(files_under(warehouse), outside)
    equal((catalog.table_exists(table.name()), ids(catalog.load_table(other.name()))), (False, [1, 2]))


def test_register(catalog, namespace):
    """a table is registered from its metadata file and is the same as before"""
    table = create(catalog, namespace)
    catalog.drop_table(table.name())
    again = catalog.register_table((*namespace, "again"), table.metadata_location)
    equal((again.metadata_location, again.metadata), (table.metadata_location, table.metadata))
    again.append(people((3, "edsger")))
    equal(ids(catalog.load_table((*namespace, "again"))), [1, 2, 3])
    with raises(TableAlreadyExistsError):
        catalog.register_table((*namespace, "again"), table.metadata_location)


def test_register_overwrites(catalog, namespace):
    """with overwrite a registration takes a table back to an earlier metadata file"""
    table = create(catalog, namespace)
    before = table.metadata_location
    table.append(people((3, "edsger")))
    catalog.register_table(table.name(), before, overwrite=True)
    equal(ids(catalog.load_table(table.name())), [1, 2])


def test_register_refused(catalog, namespace):
    """what is missing, no metadata, or outside of the warehouse is not registered"""
    table = create(catalog, namespace)
    data = next(iter(table.scan().plan_files())).file.file_path
    with raises(RESTError, "NotFoundException: Failed to open input stream for file"):
        catalog.register_table((*namespace, "stolen"), f"{table.location()}/metadata/none.metadata.json")
    up = "../" * 20
    outside = ("file:///etc/passwd", f"{table.location()}/{up}etc/passwd", "http://127.0.0.1:1/x.metadata.json", "s3://b/x")
    for location in (data, *outside):
        with raises(BadRequestError):
            catalog.register_table((*namespace, "stolen"), location)
    equal(catalog.table_exists((*namespace, "stolen")), False)


def test_location(catalog, namespace, warehouse):
    """a table may be put anywhere in the warehouse and nowhere else"""
    inside = f"file://{warehouse}/somewhere/else"
    table = catalog.create_table((*namespace, "placed"), PEOPLE.schema, location=inside)
    table.append(PEOPLE)
    table = catalog.load_table(table.name())
    equal((table.location(), ids(table)), (inside, [1, 2]))
    for location in ("file:///tmp/stolen", f"{inside}/../../../stolen", f"file://{warehouse}-stolen/x", "s3://other/x"):
        with raises(BadRequestError):
            catalog.create_table((*namespace, "stolen"), PEOPLE.schema, location=location)
    body = {"requirements": [], "updates": [{"action": "set-location", "location": "file:///tmp/stolen"}]}
    equal(send(catalog, "POST", f"namespaces/{namespace[0]}/tables/placed", body)[0], 400)
    equal(catalog.list_tables(namespace), [(*namespace, "placed")])


def test_default_location(catalog, namespace, warehouse):
    """a table lies in the warehouse, and its first metadata file is number 0"""
    table = catalog.create_table((*namespace, "people"), PEOPLE.schema)
    file = path_of(table.metadata_location)
    assert file.is_relative_to(warehouse), (file, warehouse)
    equal((file.name[:6], file.exists(), file.parent), ("00000-", True, path_of(table.location()) / "metadata"))
    table.append(PEOPLE)
    equal(path_of(table.metadata_location).name[:6], "00001-")
    equal(file.exists(), True)


def test_metadata_cleanup(catalog, namespace):
    """old metadata files are removed where the table's properties ask for it"""
    properties = {"write.metadata.delete-after-commit.enabled": "true", "write.metadata.previous-versions-max": "2"}
    table = catalog.create_table((*namespace, "people"), PEOPLE.schema, properties=properties)
    for number in range(6):
        table.append(people((number, "x")))
    table = catalog.load_table(table.name())
    kept = [name for name in files_under(path_of(table.location()) / "metadata") if name.endswith(".metadata.json")]
    equal((len(table.metadata.metadata_log), len(kept)), (2, 3))
    equal(ids(table), list(range(6)))
