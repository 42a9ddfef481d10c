"""Views."""

import time

from checks import equal, path_of, people, raises, send
from pyiceberg.exceptions import (
    NamespaceNotEmptyError,
    NoSuchViewError,
    TableAlreadyExistsError,
    ViewAlreadyExistsError,
)
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField, StringType
from pyiceberg.view.metadata import SQLViewRepresentation, ViewVersion

SCHEMA = Schema(NestedField(1, "id", LongType()), NestedField(2, "name", StringType()))


def version(namespace, sql="SELECT * FROM people", number=1):
    return ViewVersion(
        version_id=number,
        schema_id=0,
        timestamp_ms=time.time_ns() // 1_000_000,
        summary={"engine-name": "test"},
        representations=[SQLViewRepresentation(type="sql", sql=sql, dialect="spark")],
        default_namespace=list(namespace),
    )


def create(catalog, namespace, name="adults"):
    return catalog.create_view((*namespace, name), SCHEMA, version(namespace), properties={"owner": "ada"})


def sql_of(view):
    return view.current_version().representations[0].root.sql


def test_create(catalog, namespace):
    """a view is created, told to exist, listed, loaded and dropped; tables are not listed as views"""
    identifier = (*namespace, "adults")
    equal((catalog.view_exists(identifier), catalog.list_views(namespace)), (False, []))
    catalog.create_table((*namespace, "people"), people().schema)
    create(catalog, namespace)
    view = catalog.load_view(identifier)
    equal((sql_of(view), view.schema().as_struct()), ("SELECT * FROM people", SCHEMA.as_struct()))
    equal((view.metadata.properties.get("owner"), view.metadata.current_version_id), ("ada", 1))
    equal((catalog.view_exists(identifier), catalog.list_views(namespace)), (True, [identifier]))
    equal(catalog.list_tables(namespace), [(*namespace, "people")])
    catalog.drop_view(identifier)
    equal(catalog.view_exists(identifier), False)
    for call in (catalog.load_view, catalog.drop_view):
        with raises(NoSuchViewError, f"View does not exist: {namespace[0]}.adults"):
            call(identifier)


def test_shared_names(catalog, namespace):
    """a view and a table never share a name, and a namespace with a view is not empty"""
    create(catalog, namespace)
    catalog.create_table((*namespace, "people"), people().schema)
    with raises(ViewAlreadyExistsError, "View already exists"):
        create(catalog, namespace)
    with raises(ViewAlreadyExistsError, "Table with same name already exists"):
        create(catalog, namespace, "people")
    with raises(TableAlreadyExistsError, "View with same name already exists"):
        catalog.create_table((*namespace, "adults"), people().schema)
    equal(catalog.table_exists((*namespace, "adults")), False)
    catalog.drop_table((*namespace, "people"))
    with raises(NamespaceNotEmptyError):
        catalog.drop_namespace(namespace)


def test_replace(catalog, namespace):
    """a replaced view has both versions, and a commit for another view's id is refused"""
    view = create(catalog, namespace)
    path = f"namespaces/{namespace[0]}/views/adults"
    uuid = str(catalog.load_view((*namespace, "adults")).metadata.view_uuid)
    new = version(namespace, "SELECT 2", 2).model_dump(by_alias=True, exclude_none=True)
    updates = [{"action": "add-view-version", "view-version": new}, {"action": "set-current-view-version", "view-version-id": -1}]
    body = {"requirements": [{"type": "assert-view-uuid", "uuid": uuid}], "updates": updates}
    equal(send(catalog, "POST", path, body)[0], 200)
    view = catalog.load_view((*namespace, "adults"))
    equal((sql_of(view), [one.version_id for one in view.metadata.versions]), ("SELECT 2", [1, 2]))
    body["requirements"][0]["uuid"] = "00000000-0000-4000-8000-000000000000"
    status, answer = send(catalog, "POST", path, body)
    equal((status, answer["error"]["type"]), (409, "CommitFailedException"))


def test_rename(catalog, namespace):
    """a view is renamed, and not onto a table"""
    create(catalog, namespace)
    catalog.create_table((*namespace, "people"), people().schema)

    def rename(name):
        names = [{"namespace": list(namespace), "name": one} for one in ("adults", name)]
        return send(catalog, "POST", "views/rename", {"source": names[0], "destination": names[1]})[0]

    equal([rename("people"), rename("grown ups")], [409, 204])
    equal(catalog.list_views(namespace), [(*namespace, "grown ups")])
    equal(sql_of(catalog.load_view((*namespace, "grown ups"))), "SELECT * FROM people")


def test_register(catalog, namespace):
    """a view is registered from its metadata file"""
    create(catalog, namespace)
    answer = send(catalog, "GET", f"namespaces/{namespace[0]}/views/adults")[1]
    equal(path_of(answer["metadata-location"]).exists(), True)
    catalog.drop_view((*namespace, "adults"))
    view = catalog.register_view((*namespace, "again"), answer["metadata-location"])
    equal(sql_of(view), "SELECT * FROM people")
    equal(str(view.metadata.view_uuid), answer["metadata"]["view-uuid"])
    with raises(ViewAlreadyExistsError):
        catalog.register_view((*namespace, "again"), answer["metadata-location"])


def test_pages(catalog, connect, namespace):
    """a listing of views by small pages is the whole listing"""
    for number in range(5):
        create(catalog, namespace, f"v{number}")
    whole = catalog.list_views(namespace)
    equal(len(whole), 5)
    equal(connect(**{"rest-page-size": "2"}).list_views(namespace), whole)
