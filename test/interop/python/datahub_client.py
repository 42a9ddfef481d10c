"""DataHub's own Python client, called as people who automate DataHub call it."""

from datahub.cli.cli_utils import generate_access_token
from datahub.emitter.mcp import MetadataChangeProposalWrapper
from datahub.emitter.rest_emitter import DatahubRestEmitter
from datahub.emitter.serialization_helper import post_json_transform
from datahub.ingestion.graph.client import DataHubGraph
from datahub.ingestion.graph.config import DatahubClientConfig
from datahub.metadata.schema_classes import CorpUserInfoClass, CorpUserSnapshotClass, StatusClass
from datahub.metadata.urns import CorpUserUrn
from datahub.utilities.urns.urn import Urn

graph = None


def connect(server, token):
    """Opens the client; answers what it makes of /config."""
    global graph
    graph = DataHubGraph(DatahubClientConfig(server=server, token=token, retry_max_times=0))
    graph.test_connection()
    emitter = DatahubRestEmitter(server, token=token, retry_max_times=0)
    emitter.test_connection()
    return {
        "version": list(graph.server_config.parsed_version),
        "is_cloud": graph.server_config.is_datahub_cloud,
        "openapi": bool(graph._openapi_ingestion or emitter._openapi_ingestion),
    }


def generate(server, username, password, validity):
    """What `datahub init` does: a login, then a token with its cookie."""
    return generate_access_token(username, password, server, validity=validity)[1]


def graphql(query, variables=None):
    return graph.execute_graphql(query, variables=variables)


def project(query):
    """The same without what the server's schema does not have; answers what was sent."""
    from datahub.utilities.graphql_query_adapter import QueryProjector

    return QueryProjector().adapt_query(query, graph)[0]


def create(username, name, duration="ONE_HOUR"):
    """A token and its id."""
    given = {"type": "PERSONAL", "actorUrn": CorpUserUrn(username).urn(), "duration": duration, "name": name}
    query = """mutation createAccessToken($input: CreateAccessTokenInput!) {
        createAccessToken(input: $input) { accessToken metadata { id } }
    }"""
    created = graphql(query, {"input": given})["createAccessToken"]
    return {"token": created["accessToken"], "id": created["metadata"]["id"]}


def create_many(username, count):
    for number in range(count):
        create(username, f"batch {number}")


def page_through(owner, count):
    """Every id, page by page, as scripts do it; and the sizes of the pages."""
    query = """query list($input: ListAccessTokenInput!) {
        listAccessTokens(input: $input) { start count total tokens { id ownerUrn } }
    }"""
    ids, sizes = [], []
    while True:
        filters = [{"field": "ownerUrn", "values": [owner]}]
        page = graphql(query, {"input": {"start": len(ids), "count": count, "filters": filters}})["listAccessTokens"]
        assert page["start"] == len(ids) and all(token["ownerUrn"] == owner for token in page["tokens"])
        sizes.append(len(page["tokens"]))
        ids += [token["id"] for token in page["tokens"]]
        if not page["tokens"] or len(ids) >= page["total"]:
            return {"total": page["total"], "ids": ids, "sizes": sizes}


def entity(urn):
    """The entity as the class that DataHub generates for it."""
    answer = graph._session.get(f"{graph._gms_server}/entities/{Urn.url_encode(urn)}")
    answer.raise_for_status()
    [(name, value)] = post_json_transform(answer.json()["value"]).items()
    assert name == CorpUserSnapshotClass.RECORD_SCHEMA.fullname, name
    snapshot = CorpUserSnapshotClass.from_obj(value)
    assert snapshot.validate()
    key, info = snapshot.aspects
    return {
        "urn": snapshot.urn,
        "username": key.username,
        "active": info.active,
        "displayName": info.displayName,
        "email": info.email,
    }


def aspect(urn):
    info = graph.get_aspect(urn, CorpUserInfoClass)
    return info and info.displayName


def aspects(urn):
    return sorted(graph.get_entity_semityped(urn))


def exists(urn):
    return graph.exists(urn)


def emit(urn):
    graph.emit(MetadataChangeProposalWrapper(entityUrn=urn, aspect=StatusClass(removed=True)))
