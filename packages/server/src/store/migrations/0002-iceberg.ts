import type { Kysely } from 'kysely';

/** Namespaces, tables and views of the Iceberg REST catalog. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('namespaces')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('tenant_id', 'text', (c) => c.notNull().references('tenants.id'))
    .addColumn('catalog_id', 'text', (c) => c.notNull().references('catalogs.id'))
    .addColumn('path', 'text', (c) => c.notNull())
    .addColumn('parent_path', 'text', (c) => c.notNull())
    .addColumn('properties', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('created_by', 'text')
    .addUniqueConstraint('namespaces_by_path', ['catalog_id', 'path'])
    .execute();
  await db.schema
    .createIndex('namespaces_by_parent')
    .on('namespaces')
    .columns(['catalog_id', 'parent_path', 'path'])
    .execute();

  await db.schema
    .createTable('catalog_objects')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('tenant_id', 'text', (c) => c.notNull().references('tenants.id'))
    .addColumn('catalog_id', 'text', (c) => c.notNull())
    .addColumn('namespace_path', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('location', 'text', (c) => c.notNull())
    .addColumn('metadata_location', 'text', (c) => c.notNull())
    .addColumn('previous_metadata_location', 'text')
    .addColumn('version', 'bigint', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addForeignKeyConstraint('catalog_objects_namespace', ['catalog_id', 'namespace_path'], 'namespaces', [
      'catalog_id',
      'path',
    ])
    .addUniqueConstraint('catalog_objects_by_name', ['catalog_id', 'namespace_path', 'name'])
    .execute();
  await db.schema
    .createIndex('catalog_objects_by_kind')
    .on('catalog_objects')
    .columns(['catalog_id', 'namespace_path', 'kind', 'name'])
    .execute();

  await db.schema
    .createTable('object_directories')
    .addColumn('object_id', 'text', (c) => c.notNull().references('catalog_objects.id').onDelete('cascade'))
    .addColumn('tenant_id', 'text', (c) => c.notNull().references('tenants.id'))
    .addColumn('catalog_id', 'text', (c) => c.notNull())
    .addColumn('location', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('object_directories_once', ['object_id', 'location'])
    .execute();
  await db.schema
    .createIndex('object_directories_by_location')
    .on('object_directories')
    .columns(['catalog_id', 'location'])
    .execute();
}
