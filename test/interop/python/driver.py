"""Calls functions of one Python file: reads a JSON line {"call", "with"} each, answers a JSON line {"result"} or {"error"}.

A function named test_… is given what its parameters ask for:
  catalog    a RestCatalog, from the properties the process was started with
  connect    the same with further properties: connect(prefix="…")
  namespace  a new namespace, as a tuple
  warehouse  the folder of the catalog's tables, a pathlib.Path
"""

import importlib.util
import inspect
import itertools
import json
import os
import pathlib
import sys
import traceback

OURS = os.path.dirname(os.path.abspath(__file__))
numbers = itertools.count(1)


def read_module(path):
    sys.path.insert(0, OURS)
    spec = importlib.util.spec_from_file_location("called", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_test(test, settings):
    from pyiceberg.catalog import load_catalog

    def connect(**more):
        return load_catalog("interop", **{**settings["properties"], **more})

    wanted = inspect.signature(test).parameters
    given = {"connect": connect, "warehouse": pathlib.Path(settings["warehouse"])}
    if "catalog" in wanted or "namespace" in wanted:
        given["catalog"] = connect()
    if "namespace" in wanted:
        given["namespace"] = (f"{test.__name__}_{next(numbers)}",)
        given["catalog"].create_namespace(given["namespace"])
    test(**{name: given[name] for name in wanted})


def answer(module, question, settings):
    try:
        function = getattr(module, question["call"])
        if question["call"].startswith("test_"):
            return {"result": run_test(function, settings)}
        return {"result": function(**question["with"])}
    except BaseException as error:
        return {"error": {"type": type(error).__name__, "message": str(error), "trace": describe(error)}}


def describe(error):
    """The message, and where in our own files it came from."""
    frames = [one for one in traceback.extract_tb(error.__traceback__) if one.filename.startswith(OURS)]
    return f"{error}\n{''.join(traceback.format_list(frames))}"


def main(path, settings):
    # Whatever a library prints belongs to the conversation, not to the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    module = read_module(path)
    for line in sys.stdin:
        print(json.dumps(answer(module, json.loads(line), settings)), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
