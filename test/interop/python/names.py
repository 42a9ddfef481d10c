"""Namespaces, and names that are hard to carry in a URL or a path."""

from checks import equal, files_under, ids, path_of, people, raises
from pyiceberg.exceptions import (
    BadRequestError,
    NamespaceAlreadyExistsError,
    NamespaceNotEmptyError,
    NoSuchNamespaceError,
    NoSuchTableError,
    TableAlreadyExistsError,
)

NAMES = [
    "with space",
    "with.dot",
    "with/slash",
    "back\\slash",
    "ünïcödé ☃ 🦔",
    "日本語",
    "a+b",
    "50%",
    "100%25",
    "%2F",
    "a&b=c?d#e",
    'quote"and\'s',
    "UPPER",
    "upper",
    "...",
    "-",
    "~tilde;semi,comma:colon@at!",
    "tables",
    "namespaces",
    "x" * 200,
    "é" * 100,
]


def test_namespaces(catalog):
    """a namespace of any name is created, listed, told to exist, described and dropped"""
    for name in NAMES:
        catalog.create_namespace((name,), {"name": name})
        equal(catalog.namespace_exists((name,)), True)
        equal(catalog.load_namespace_properties((name,)).get("name"), name)
    found = [one for one in catalog.list_namespaces() if one[0] in NAMES]
    equal(sorted(found), sorted((name,) for name in NAMES))
    for name in NAMES:
        with raises(NamespaceAlreadyExistsError, f"Namespace already exists: {name}"):
            catalog.create_namespace((name,))
        catalog.drop_namespace((name,))
        equal(catalog.namespace_exists((name,)), False)
        with raises(NoSuchNamespaceError):
            catalog.drop_namespace((name,))


def test_nested(catalog, namespace):
    """namespaces nest, whatever the levels are called, and a listing shows one level"""
    parent = namespace
    for name in ("a b", "c.d", "e/f", "ü+%"):
        child = (*parent, name)
        catalog.create_namespace(child, {"path": "/".join(child)})
        equal(catalog.load_namespace_properties(child)["path"], "/".join(child))
        equal(catalog.list_namespaces(parent), [child])
        parent = child
    equal((catalog.list_namespaces(parent), namespace in catalog.list_namespaces()), ([], True))
    table = catalog.create_table((*parent, "t/1"), people().schema)
    equal((table.name(), catalog.list_tables(parent)), ((*parent, "t/1"), [(*parent, "t/1")]))
    equal(catalog.list_tables(namespace), [])


def test_levels_are_not_names(catalog):
    """the levels a, b are another namespace than the single level a.b"""
    catalog.create_namespace(("lvl",))
    catalog.create_namespace(("lvl", "b"), {"is": "two"})
    catalog.create_namespace(("lvl.b",), {"is": "one"})
    equal(catalog.load_namespace_properties(("lvl", "b"))["is"], "two")
    equal(catalog.load_namespace_properties(("lvl.b",))["is"], "one")
    catalog.create_table(("lvl", "b", "t"), people().schema)
    equal(catalog.table_exists(("lvl.b", "t")), False)


def test_tables(catalog, namespace, warehouse):
    """a table of any name is created, written, read, listed, renamed and dropped inside its warehouse"""
    before = set(files_under(warehouse.parent))
    locations = set()
    for number, name in enumerate(NAMES):
        identifier = (*namespace, name)
        catalog.create_table(identifier, people().schema).append(people((number, name)))
        table = catalog.load_table(identifier)
        equal(table.scan().to_arrow().to_pylist(), [{"id": number, "name": name}])
        equal(catalog.table_exists(identifier), True)
        locations.add(table.location())
    assert len(locations) == len(NAMES), sorted(locations)
    equal(sorted(catalog.list_tables(namespace)), sorted((*namespace, name) for name in NAMES))
    new = {file for file in files_under(warehouse.parent) if file not in before}
    outside = [file for file in new if not (warehouse.parent / file).resolve().is_relative_to(warehouse)]
    equal([file for file in outside if not file.endswith((".db", "-wal", "-shm"))], [])
    for name in NAMES:
        catalog.rename_table((*namespace, name), (*namespace, f"{name} 2"))
        equal(catalog.table_exists((*namespace, name)), False)
        equal(catalog.load_table((*namespace, f"{name} 2")).scan().count(), 1)
        catalog.purge_table((*namespace, f"{name} 2"))
    equal(catalog.list_tables(namespace), [])


def test_escaping_names(catalog, namespace, warehouse):
    """names made to leave the warehouse do not, or are refused"""
    for name in ("../../../../escaped", "..\\..\\escaped", "/escaped", "%2e%2e%2f%2e%2e%2fescaped", "a/../../../b"):
        try:
            table = catalog.create_table((*namespace, name), people().schema)
        except BadRequestError:
            continue
        assert path_of(table.location()).resolve().is_relative_to(warehouse), table.location()
        table.append(people((1, "x")))
        equal(ids(catalog.load_table((*namespace, name))), [1])
    equal([str(one) for one in warehouse.parents[1].rglob("escaped*") if not one.is_relative_to(warehouse)], [])


def test_case(catalog, namespace):
    """names that differ in case are different tables, with different rows"""
    for number, name in enumerate(("Orders", "orders", "ORDERS")):
        catalog.create_table((*namespace, name), people().schema).append(people((number, name)))
    equal([ids(catalog.load_table((*namespace, name))) for name in ("Orders", "orders", "ORDERS")], [[0], [1], [2]])
    with raises(TableAlreadyExistsError):
        catalog.create_table((*namespace, "orders"), people().schema)


def test_namespace_properties(catalog, namespace):
    """properties of a namespace are set, changed and removed, and the answer says which"""
    summary = catalog.update_namespace_properties(namespace, updates={"a": "1", "b": "2"})
    equal(sorted(summary.updated), ["a", "b"])
    summary = catalog.update_namespace_properties(namespace, removals={"a", "zzz"}, updates={"b": "3"})
    equal((summary.removed, summary.updated, summary.missing), (["a"], ["b"], ["zzz"]))
    found = catalog.load_namespace_properties(namespace)
    equal((found.get("a"), found.get("b")), (None, "3"))
    with raises(NoSuchNamespaceError):
        catalog.update_namespace_properties(("nowhere",), updates={"a": "1"})


def test_not_empty(catalog, namespace):
    """a namespace with a table or another namespace in it is not dropped"""
    catalog.create_table((*namespace, "people"), people().schema)
    with raises(NamespaceNotEmptyError, "is not empty"):
        catalog.drop_namespace(namespace)
    catalog.drop_table((*namespace, "people"))
    catalog.create_namespace((*namespace, "inner"))
    with raises(NamespaceNotEmptyError, "is not empty"):
        catalog.drop_namespace(namespace)
    catalog.drop_namespace((*namespace, "inner"))
    catalog.drop_namespace(namespace)
    with raises(NoSuchNamespaceError):
        catalog.list_tables(namespace)


def test_missing(catalog):
    """what is not there is told apart: namespaces and tables"""
    with raises(NoSuchNamespaceError, "Namespace does not exist: nowhere"):
        catalog.list_namespaces(("nowhere",))
    with raises(NoSuchNamespaceError):
        catalog.load_namespace_properties(("no", "where"))
    with raises(NoSuchTableError):
        catalog.load_table(("nowhere", "people"))


def test_pages(catalog, connect, namespace):
    """a listing by small pages is the whole listing, each name once and in the same order"""
    for number in range(7):
        catalog.create_namespace((*namespace, f"n{number}"))
        catalog.create_table((*namespace, f"t {number}"), people().schema)
    whole = catalog.list_tables(namespace), catalog.list_namespaces(namespace)
    equal([len(one) for one in whole], [7, 7])
    for size in (1, 3, 7, 100):
        paged = connect(**{"rest-page-size": str(size)})
        equal((paged.list_tables(namespace), paged.list_namespaces(namespace)), whole)
        equal(set(paged.list_namespaces()), set(catalog.list_namespaces()))
