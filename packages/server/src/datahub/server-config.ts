/**
 * What DataHub's clients read of `GET /config` before they ask anything. `noCode` tells them that they have reached the
 * metadata service; without it they stop.
 *
 * The version is DataHub's own, of which this server is none: 0.0.0 says so. From 1.0.1 on they would write to
 * `/openapi/v3/…` and trace it there, which is not served; and one that starts with `v` they compare with their own, to ask
 * for an upgrade. What else is not here is switched off by name, such as reports of how the client is used. The commit is the
 * key under which they keep the schema they have read, so it changes with this server.
 */
export const createServerConfig = (version: string, baseUrl: string | null): Record<string, unknown> => ({
  noCode: 'true',
  versions: { 'acryldata/datahub': { version: '0.0.0', commit: `pangolin-${version}` }, pangolin: { version } },
  datahub: { serverType: 'pangolin', serverEnv: 'core' },
  patchCapable: false,
  statefulIngestionCapable: false,
  supportsImpactAnalysis: false,
  managedIngestion: { enabled: false },
  telemetry: { enabledCli: false, enabledIngestion: false },
  ...(baseUrl === null ? {} : { baseUrl }),
});
