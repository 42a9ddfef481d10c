"""Partition specs and sort orders."""

import datetime

import pyarrow as pa
from checks import equal, ids, raises
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table.sorting import NullOrder, SortDirection, SortField, SortOrder
from pyiceberg.transforms import (
    BucketTransform,
    DayTransform,
    HourTransform,
    IdentityTransform,
    MonthTransform,
    TruncateTransform,
    VoidTransform,
    YearTransform,
)
from pyiceberg.types import LongType, NestedField, StringType, TimestampType

SCHEMA = Schema(
    NestedField(1, "id", LongType()),
    NestedField(2, "name", StringType()),
    NestedField(3, "at", TimestampType()),
)
BY_NAME = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "name"))


def create(catalog, namespace, **more):
    return catalog.create_table((*namespace, "events"), SCHEMA, **more)


def events(*numbers):
    return pa.table(
        {
            "id": pa.array(numbers, pa.int64()),
            "name": pa.array([f"name {number % 2}" for number in numbers]),
            "at": pa.array([datetime.datetime(2024, 1 + number, 1) for number in numbers], pa.timestamp("us")),
        }
    )


def spec_of(table):
    return [(field.field_id, field.name, str(field.transform)) for field in table.spec().fields]


def test_partitioned(catalog, namespace):
    """rows of a partitioned table lie in their partitions, and a filter opens only those"""
    table = create(catalog, namespace, partition_spec=BY_NAME)
    table.append(events(0, 1, 2, 3))
    table = catalog.load_table(table.name())
    equal(spec_of(table), [(1000, "name", "identity")])
    equal(table.metadata.last_partition_id, 1000)
    equal(len(list(table.scan(row_filter="name = 'name 1'").plan_files())), 1)
    equal(ids(table, row_filter="name = 'name 1'"), [1, 3])


def test_transforms(catalog, namespace):
    """every partition transform is kept as it was asked for"""
    specs = {
        "wide": [(1, BucketTransform(16)), (2, TruncateTransform(3)), (3, YearTransform())],
        "fine": [(1, TruncateTransform(10)), (2, VoidTransform()), (3, HourTransform())],
    }
    for name, fields in specs.items():
        spec = PartitionSpec(*(PartitionField(one, 999 + one, how, f"p{one}") for one, how in fields))
        table = catalog.create_table((*namespace, name), SCHEMA, partition_spec=spec)
        table.append(events(1, 2))
        table = catalog.load_table(table.name())
        equal(spec_of(table), [(999 + one, f"p{one}", str(how)) for one, how in fields])
        equal(ids(table), [1, 2])


def test_evolution(catalog, namespace):
    """a spec evolves: rows of the old and the new layout are read together"""
    table = create(catalog, namespace)
    table.append(events(0, 1))
    with table.update_spec() as update:
        update.add_field("at", MonthTransform(), "at_month")
        update.add_identity("name")
    table.append(events(2, 3))
    table = catalog.load_table(table.name())
    equal(spec_of(table), [(1000, "at_month", "month"), (1001, "name", "identity")])
    equal((sorted(table.specs()), table.spec().spec_id), ([0, 1], 1))
    equal((ids(table), ids(table, row_filter="at >= '2024-02-01T00:00:00'")), ([0, 1, 2, 3], [1, 2, 3]))
    with table.update_spec() as update:
        update.remove_field("name")
        update.rename_field("at_month", "month")
    table.append(events(4))
    table = catalog.load_table(table.name())
    equal(spec_of(table), [(1000, "month", "month")])
    equal((ids(table), table.metadata.last_partition_id), ([0, 1, 2, 3, 4], 1001))


def test_field_comes_back(catalog, namespace):
    """a partition field removed and added again has its old id, and new ones never reuse one"""
    table = create(catalog, namespace, partition_spec=BY_NAME)
    with table.update_spec() as update:
        update.remove_field("name")
    with table.update_spec() as update:
        update.add_field("at", DayTransform(), "day")
    equal(spec_of(catalog.load_table(table.name())), [(1001, "day", "day")])
    with table.update_spec() as update:
        update.add_identity("name")
    equal(sorted(spec_of(catalog.load_table(table.name()))), [(1000, "name", "identity"), (1001, "day", "day")])


def test_concurrent_specs(catalog, namespace):
    """of two clients that evolve the same spec the second is refused"""
    table = create(catalog, namespace)
    stale = catalog.load_table(table.name()).update_spec().add_field("at", HourTransform(), "hour")
    with table.update_spec() as update:
        update.add_identity("name")
    with raises(CommitFailedException, "partition"):
        stale.commit()
    equal(spec_of(catalog.load_table(table.name())), [(1000, "name", "identity")])


def test_sort_order(catalog, namespace):
    """a sort order given at creation is kept"""
    order = SortOrder(SortField(2, IdentityTransform(), SortDirection.DESC, NullOrder.NULLS_LAST))
    table = create(catalog, namespace, sort_order=order)
    table = catalog.load_table(table.name())
    equal((table.sort_order().order_id, table.sort_order().fields), (1, order.fields))
    table.append(events(1))
    equal(ids(catalog.load_table(table.name())), [1])


def test_sort_order_changes(catalog, namespace):
    """a sort order is replaced, taken away, and found again by its old id"""
    table = create(catalog, namespace)
    equal(table.sort_order().order_id, 0)
    with table.update_sort_order() as update:
        update.asc("id", IdentityTransform()).desc("at", DayTransform())
    table = catalog.load_table(table.name())
    fields = [(field.source_id, str(field.transform), field.direction.value) for field in table.sort_order().fields]
    equal((table.sort_order().order_id, fields), (1, [(1, "identity", "asc"), (3, "day", "desc")]))
    with table.update_sort_order() as update:
        update.desc("name", IdentityTransform())
    equal(catalog.load_table(table.name()).sort_order().order_id, 2)
    with table.update_sort_order() as update:
        update.asc("id", IdentityTransform()).desc("at", DayTransform())
    table = catalog.load_table(table.name())
    equal((table.sort_order().order_id, sorted(table.sort_orders())), (1, [0, 1, 2]))


def test_delete_whole_partition(catalog, namespace):
    """a delete that covers whole partitions rewrites no file"""
    table = create(catalog, namespace, partition_spec=BY_NAME)
    table.append(events(0, 1, 2, 3))
    table.delete("name = 'name 0'")
    table = catalog.load_table(table.name())
    equal(ids(table), [1, 3])
    equal(table.current_snapshot().summary["deleted-data-files"], "1")
    equal(table.current_snapshot().summary.additional_properties.get("added-data-files"), None)
