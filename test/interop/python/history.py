"""Snapshots: tags, branches, time travel and what becomes of old ones."""

import time

from checks import equal, ids, people, raises
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table.statistics import StatisticsFile


def create(catalog, namespace, snapshots=3):
    """A table whose n-th snapshot has added the row n."""
    table = catalog.create_table((*namespace, "people"), people().schema)
    for number in range(1, snapshots + 1):
        table.append(people((number, "x")))
    return table


def snapshot_ids(table):
    return [one.snapshot_id for one in table.snapshots()]


def ids_of(table, ref):
    return sorted(table.scan().use_ref(ref).to_arrow()["id"].to_pylist())


def test_travel_by_id(catalog, namespace):
    """every snapshot is read by its id"""
    create(catalog, namespace)
    table = catalog.load_table((*namespace, "people"))
    equal([ids(table, snapshot_id=one) for one in snapshot_ids(table)], [[1], [1, 2], [1, 2, 3]])


def test_large_ids(catalog, namespace):
    """snapshot ids beyond 2^53 keep every digit"""
    table = create(catalog, namespace, 8)
    found = snapshot_ids(catalog.load_table(table.name()))
    equal(found, snapshot_ids(table))
    assert any(one > 2**53 for one in found), found
    parents = [one.parent_snapshot_id for one in table.snapshots()]
    equal(parents, [None, *found[:-1]])


def test_travel_by_time(catalog, namespace):
    """the snapshot of a moment is found by its time"""
    table = catalog.create_table((*namespace, "people"), people().schema)
    moments = []
    for number in (1, 2, 3):
        table.append(people((number, "x")))
        moments.append(time.time_ns() // 1_000_000)
        time.sleep(0.005)
    table = catalog.load_table(table.name())
    found = [table.snapshot_as_of_timestamp(moment) for moment in moments]
    equal([one and one.snapshot_id for one in found], snapshot_ids(table))
    equal(table.snapshot_as_of_timestamp(table.history()[0].timestamp_ms - 1), None)


def test_tags(catalog, namespace):
    """a tag keeps naming its snapshot until it is removed"""
    table = create(catalog, namespace)
    second = snapshot_ids(table)[1]
    table.manage_snapshots().create_tag(second, "release 1.0/β", max_ref_age_ms=86_400_000).commit()
    table.append(people((4, "x")))
    table = catalog.load_table(table.name())
    ref = table.refs()["release 1.0/β"]
    equal((ref.snapshot_ref_type.value, ref.snapshot_id, ref.max_ref_age_ms), ("tag", second, 86_400_000))
    equal(ids_of(table, "release 1.0/β"), [1, 2])
    table.manage_snapshots().remove_tag("release 1.0/β").commit()
    equal(sorted(catalog.load_table(table.name()).refs()), ["main"])


def test_branches(catalog, namespace):
    """rows appended to a branch are seen there alone"""
    table = create(catalog, namespace, 1)
    table.manage_snapshots().create_branch(table.current_snapshot().snapshot_id, "audit").commit()
    table.append(people((9, "x")), branch="audit")
    table.append(people((2, "x")))
    table = catalog.load_table(table.name())
    equal((ids(table), ids_of(table, "audit")), ([1, 2], [1, 9]))
    table.delete("id = 1", branch="audit")
    table = catalog.load_table(table.name())
    equal((ids(table), ids_of(table, "audit")), ([1, 2], [9]))
    table.manage_snapshots().remove_branch("audit").commit()
    equal(ids(catalog.load_table(table.name())), [1, 2])


def test_retention(catalog, namespace):
    """how long a branch and its snapshots are to be kept is kept"""
    table = create(catalog, namespace, 1)
    asked = {"max_ref_age_ms": 2**40, "max_snapshot_age_ms": 2_000_000, "min_snapshots_to_keep": 3}
    table.manage_snapshots().create_branch(table.current_snapshot().snapshot_id, "audit", **asked).commit()
    ref = catalog.load_table(table.name()).refs()["audit"]
    equal({name: getattr(ref, name) for name in asked}, asked)


def test_rollback(catalog, namespace):
    """a rollback brings an old snapshot back, and the next append starts from it"""
    table = create(catalog, namespace)
    first = snapshot_ids(table)[0]
    table.manage_snapshots().rollback_to_snapshot(first).commit()
    table = catalog.load_table(table.name())
    equal((ids(table), len(table.snapshots())), ([1], 3))
    equal(table.history()[-1].snapshot_id, first)
    table.append(people((7, "x")))
    table = catalog.load_table(table.name())
    equal((ids(table), table.current_snapshot().parent_snapshot_id), ([1, 7], first))
    equal(table.current_snapshot().sequence_number, 4)


def test_set_current(catalog, namespace):
    """the current snapshot is set by the name of a tag"""
    table = create(catalog, namespace)
    table.manage_snapshots().create_tag(snapshot_ids(table)[1], "good").commit()
    table.manage_snapshots().set_current_snapshot(ref_name="good").commit()
    equal(ids(catalog.load_table(table.name())), [1, 2])


def test_expire(catalog, namespace):
    """expired snapshots are gone and named ones refuse to go"""
    table = create(catalog, namespace, 4)
    first, second, third, last = snapshot_ids(table)
    table.manage_snapshots().create_tag(second, "keep").commit()
    with raises(ValueError, str(second)):
        table.maintenance.expire_snapshots().by_id(second)
    table.maintenance.expire_snapshots().by_ids([first, third]).commit()
    table = catalog.load_table(table.name())
    equal(snapshot_ids(table), [second, last])
    equal([entry.snapshot_id for entry in table.history()], [last])
    equal((ids(table), ids(table, snapshot_id=second)), ([1, 2, 3, 4], [1, 2]))
    equal(table.snapshot_by_id(first), None)


def test_refs_only(catalog, connect, namespace):
    """snapshot-loading-mode=refs loads the named snapshots only, and a commit from there loses none"""
    table = create(catalog, namespace, 5)
    every = snapshot_ids(table)
    table.manage_snapshots().create_tag(every[2], "middle").commit()
    lazy = connect(**{"snapshot-loading-mode": "refs"}).load_table(table.name())
    equal(snapshot_ids(lazy), [every[2], every[4]])
    equal(len(lazy.history()), 5)
    equal(ids(lazy), [1, 2, 3, 4, 5])
    lazy.append(people((6, "x")))
    equal(snapshot_ids(catalog.load_table(table.name()))[:5], every)
    whole = connect(**{"snapshot-loading-mode": "all"}).load_table(table.name())
    equal(len(whole.snapshots()), 6)


def test_concurrent_tags(catalog, namespace):
    """of two clients that make the same tag the second is refused"""
    table = create(catalog, namespace)
    first, _, last = snapshot_ids(table)
    stale = catalog.load_table(table.name())
    table.manage_snapshots().create_tag(first, "release").commit()
    with raises(CommitFailedException, "release"):
        stale.manage_snapshots().create_tag(last, "release").commit()
    equal(catalog.load_table(table.name()).refs()["release"].snapshot_id, first)


def test_inspect(catalog, namespace):
    """the metadata tables are read: snapshots, refs, files, history, manifests, metadata log"""
    table = catalog.load_table(create(catalog, namespace).name())
    equal(table.inspect.snapshots().num_rows, 3)
    equal(table.inspect.refs()["name"].to_pylist(), ["main"])
    equal(table.inspect.files().num_rows, 3)
    equal(table.inspect.history()["is_current_ancestor"].to_pylist(), [True] * 3)
    equal(table.inspect.manifests().num_rows, 3)
    log = table.inspect.metadata_log_entries()["file"].to_pylist()
    equal((len(log), len(set(log)), log[-1]), (4, 4, table.metadata_location))


def test_statistics(catalog, namespace):
    """a statistics file is set, replaced and removed, and goes with its snapshot"""
    table = create(catalog, namespace, 2)
    first, last = snapshot_ids(table)

    def file(snapshot_id, name):
        path = f"{table.location()}/metadata/{name}.stats"
        values = {"snapshot-id": snapshot_id, "statistics-path": path, "file-size-in-bytes": 4,
                  "file-footer-size-in-bytes": 2, "blob-metadata": []}
        return StatisticsFile.model_validate(values)

    for snapshot_id, name in ((first, "a"), (last, "b"), (last, "c")):
        with table.update_statistics() as update:
            update.set_statistics(file(snapshot_id, name))
    table = catalog.load_table(table.name())
    found = {one.snapshot_id: one.statistics_path.rsplit("/", 1)[1] for one in table.metadata.statistics}
    equal(found, {first: "a.stats", last: "c.stats"})
    table.maintenance.expire_snapshots().by_id(first).commit()
    equal([one.snapshot_id for one in catalog.load_table(table.name()).metadata.statistics], [last])
    with table.update_statistics() as update:
        update.remove_statistics(last)
    equal(catalog.load_table(table.name()).metadata.statistics, [])
