"""A session with a catalog that lasts over several calls, for tests that change something on the server in between."""

from checks import ids, people
from pyiceberg.catalog import load_catalog

session = {}


def connect(**properties):
    session["catalog"] = load_catalog("session", **properties)
    session["tables"] = {}


def create(name, numbers):
    *namespace, table = name.split(".")
    create_at(namespace, table, numbers)


def create_at(namespace, name, numbers):
    """A table of a column id, with these in it; PyIceberg is told to repeat its commits very often."""
    catalog = session["catalog"]
    catalog.create_namespace_if_not_exists(tuple(namespace))
    identifier = (*namespace, name)
    table = catalog.create_table(identifier, people().schema, properties={"commit.retry.num-retries": "100"})
    table.append(people(*((number, "x") for number in numbers)))


def append(name, numbers):
    """Appends to the table as it was loaded before, where it was."""
    table = session["tables"].get(name) or session["catalog"].load_table(name)
    session["tables"][name] = table
    table.append(people(*((number, "x") for number in numbers)))


def append_each(name, numbers):
    """One commit for each number."""
    table = session["catalog"].load_table(name)
    for number in numbers:
        table.append(people((number, "x")))


def set_property(name, key, value):
    session["catalog"].load_table(name).transaction().set_properties({key: value}).commit_transaction()


def set_each(name, prefix, count):
    """One commit for each property, all of them from the metadata that was loaded first."""
    table = session["catalog"].load_table(name)
    stale = table.metadata
    for number in range(count):
        table.metadata = stale
        table.transaction().set_properties({f"{prefix}{number}": str(number)}).commit_transaction()


def properties(name):
    return session["catalog"].load_table(name).properties


def read(name):
    return ids(session["catalog"].load_table(name))


def snapshots(name):
    return len(session["catalog"].load_table(name).snapshots())


def namespaces(*parent):
    return sorted(".".join(one) for one in session["catalog"].list_namespaces(parent))


def tables(namespace):
    return sorted(".".join(one) for one in session["catalog"].list_tables(namespace))


def table_exists(name):
    return session["catalog"].table_exists(name)


def rename(source, destination):
    session["catalog"].rename_table(source, destination)


def drop(name, purge=False):
    session["catalog"].drop_table(name, purge_requested=purge)


def create_namespace(name):
    session["catalog"].create_namespace(name)


def bearer():
    """The token that the session sends at present."""
    catalog = session["catalog"]
    return catalog._session.auth.auth_manager.auth_header().removeprefix("Bearer ")
