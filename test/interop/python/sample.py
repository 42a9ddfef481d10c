"""The sample table, whose Parquet and Avro files the server has written."""

import datetime

import pyarrow.compute as pc
import pyarrow.parquet as pq
from checks import equal, files_under, path_of

NAME = "sample.sightings"


def read(catalog, **scan):
    return catalog.load_table(NAME).scan(**scan).to_arrow()


def test_read(catalog):
    """the table is listed, and its 200 rows are read with their types"""
    equal((catalog.list_namespaces(), catalog.list_tables("sample")), ([("sample",)], [("sample", "sightings")]))
    data = read(catalog)
    kinds = {
        "sighting_id": "int64",
        "seen_at": "timestamp[us, tz=UTC]",
        "seen_on": "date32[day]",
        "species": "large_string",
        "country": "large_string",
        "weight_kg": "double",
        "rolled_up": "bool",
    }
    found = {field.name: str(field.type).replace("large_", "") for field in data.schema}
    equal(found, {name: kind.replace("large_", "") for name, kind in kinds.items()})
    equal(sorted(data["sighting_id"].to_pylist()), list(range(1, 201)))
    nulls = {name: data[name].null_count for name in kinds}
    equal([name for name, count in nulls.items() if count > 0], ["weight_kg"])
    for row in data.to_pylist():
        equal(row["seen_on"], row["seen_at"].date())
        assert row["species"].endswith(" pangolin") and len(row["country"]) > 3, row
        assert row["weight_kg"] is None or 1 <= row["weight_kg"] <= 35, row


def test_filter(catalog):
    """filters open only the files they need, and lose no row"""
    table, data = catalog.load_table(NAME), read(catalog)
    equal(len(list(table.scan().plan_files())), 2)
    day = data["seen_on"].to_pylist()[-1]
    filters = {
        "sighting_id = 1": pc.field("sighting_id") == 1,
        "sighting_id > 150": pc.field("sighting_id") > 150,
        f"seen_on = '{day}'": pc.field("seen_on") == day,
        "seen_at < '2026-02-01T00:00:00+00:00'": pc.field("seen_at")
        < datetime.datetime(2026, 2, 1, tzinfo=datetime.timezone.utc),
        "species = 'Giant pangolin'": pc.field("species") == "Giant pangolin",
        "weight_kg is null": pc.field("weight_kg").is_null(),
        "weight_kg >= 25": pc.field("weight_kg") >= 25,
        "rolled_up = true": pc.field("rolled_up"),
    }
    for text, expression in filters.items():
        expected = data.filter(expression)["sighting_id"].to_pylist()
        assert expected, text
        equal(sorted(read(catalog, row_filter=text)["sighting_id"].to_pylist()), sorted(expected))
    equal(len(list(table.scan(row_filter="sighting_id = 1").plan_files())), 1)
    equal(len(list(table.scan(row_filter="country = 'Atlantis'").plan_files())), 0)


def test_files(catalog, warehouse):
    """what the manifests say of the Parquet files is what pyarrow finds in them"""
    table = catalog.load_table(NAME)
    files = table.inspect.files().to_pylist()
    listed = {path_of(one["file_path"]) for one in files}
    equal(listed, {warehouse / name for name in files_under(warehouse) if name.endswith(".parquet")})
    for one in files:
        path = path_of(one["file_path"])
        found = pq.read_metadata(path)
        equal((one["record_count"], one["file_size_in_bytes"]), (found.num_rows, path.stat().st_size))
        values = pq.read_table(path)
        bounds = one["readable_metrics"]
        for name in values.column_names:
            low, high = pc.min_max(values[name]).as_py().values()
            equal((bounds[name]["lower_bound"], bounds[name]["upper_bound"]), (low, high))
            equal((bounds[name]["value_count"], bounds[name]["null_value_count"]), (100, values[name].null_count))
        equal([pq.read_schema(path).field(name).metadata[b"PARQUET:field_id"] for name in values.column_names],
              [str(field.field_id).encode() for field in table.schema().fields])
    summary = table.current_snapshot().summary.additional_properties
    equal((summary["total-records"], summary["total-data-files"]), ("200", "2"))


def test_write(catalog):
    """the table is written to like any other"""
    table = catalog.load_table(NAME)
    table.append(read(catalog, row_filter="sighting_id = 7").cast(table.schema().as_arrow()))
    table.delete("sighting_id = 8")
    equal(read(catalog).num_rows, 200)
    equal(read(catalog, row_filter="sighting_id in (7, 8)")["sighting_id"].to_pylist(), [7, 7])
    first = table.snapshots()[0].snapshot_id
    equal(read(catalog, snapshot_id=first).num_rows, 200)
    with table.update_schema() as update:
        update.rename_column("species", "kind")
    equal(len(set(read(catalog)["kind"].to_pylist())), 8)
