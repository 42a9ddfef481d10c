import {
  type ColumnDefinitionNode,
  DataTypeNode,
  type KyselyPlugin,
  OperationNodeTransformer,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type QueryId,
  RawNode,
} from 'kysely';

/**
 * Gives text columns the order of their bytes, as SQLite has it, on PostgreSQL: pages and ranges of names rely on it, and
 * in a database with a language's order they would differ.
 */
export class ByteOrder implements KyselyPlugin {
  readonly #transformer = new ByteOrderTransformer();

  transformQuery({ node, queryId }: PluginTransformQueryArgs) {
    return this.#transformer.transformNode(node, queryId);
  }

  async transformResult({ result }: PluginTransformResultArgs) {
    return result;
  }
}

class ByteOrderTransformer extends OperationNodeTransformer {
  protected override transformColumnDefinition(node: ColumnDefinitionNode, queryId?: QueryId): ColumnDefinitionNode {
    const { dataType, ...rest } = super.transformColumnDefinition(node, queryId);
    const isText = DataTypeNode.is(dataType) && dataType.dataType === 'text';
    return { ...rest, dataType: isText ? RawNode.createWithSql('text collate "C"') : dataType };
  }
}
