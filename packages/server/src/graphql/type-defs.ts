/** DataHub's schema, as far as it concerns tokens, service accounts and who one is; times (Long) are milliseconds. */
export const TYPE_DEFS = /* GraphQL */ `
  """
  Milliseconds since 1970, or another whole number beyond 32 bits.
  """
  scalar Long

  type Query {
    """
    Access tokens, the latest expiry first: all of them, or with a filter ownerUrn or actorUrn on yourself, your own.
    """
    listAccessTokens(input: ListAccessTokenInput!): ListAccessTokenResult!
    """
    Generates an access token.
    """
    getAccessToken(input: GetAccessTokenInput!): AccessToken @deprecated(reason: "Use createAccessToken.")
    """
    What is known of an access token, by the token itself or its id.
    """
    getAccessTokenMetadata(token: String!): AccessTokenMetadata!
    """
    What somebody may do, and why.
    """
    debugAccess(userUrn: String!): DebugAccessResult!
    """
    Service accounts by name.
    """
    listServiceAccounts(input: ListServiceAccountsInput!): ListServiceAccountsResult!
    """
    A service account by its URN; null where there is none.
    """
    getServiceAccount(urn: String!): ServiceAccount
    """
    Who is asking.
    """
    me: AuthenticatedUser
    """
    What this server offers you: for how long tokens may live.
    """
    appConfig: AppConfig
  }

  type Mutation {
    """
    Generates an access token; it is shown this once.
    """
    createAccessToken(input: CreateAccessTokenInput!): AccessToken
    """
    Ends an access token, and everything that was obtained with it.
    """
    revokeAccessToken(tokenId: String!): Boolean!
    """
    Creates a service account; its tokens are made by createAccessToken with type SERVICE_ACCOUNT.
    """
    createServiceAccount(input: CreateServiceAccountInput!): ServiceAccount!
    """
    Ends a service account with all of its tokens and keys.
    """
    deleteServiceAccount(urn: String!): Boolean!
  }

  """
  Exactly one of duration and durationIso.
  """
  input CreateAccessTokenInput {
    type: AccessTokenType!
    """
    Whose token it will be: urn:li:corpuser:<username>, or urn:li:corpuser:service_<uuid> for a service account.
    """
    actorUrn: String!
    duration: AccessTokenDuration
    """
    ISO 8601, such as P30D; a month is 30 days, a year 365.
    """
    durationIso: String
    name: String!
    description: String
  }

  """
  Exactly one of duration and durationIso.
  """
  input GetAccessTokenInput {
    type: AccessTokenType!
    actorUrn: String!
    duration: AccessTokenDuration
    durationIso: String
  }

  enum AccessTokenType {
    PERSONAL
    SERVICE_ACCOUNT
  }

  enum AccessTokenDuration {
    ONE_HOUR
    ONE_DAY
    ONE_WEEK
    """
    30 days
    """
    ONE_MONTH
    """
    90 days
    """
    THREE_MONTHS
    """
    180 days
    """
    SIX_MONTHS
    """
    365 days
    """
    ONE_YEAR
    NO_EXPIRY
  }

  type AccessToken {
    accessToken: String!
    metadata: AccessTokenMetadata
  }

  enum EntityType {
    ACCESS_TOKEN
    """
    A user, or a service account.
    """
    CORP_USER
  }

  type AccessTokenMetadata {
    urn: String!
    type: EntityType!
    id: String!
    """
    The same as id.
    """
    tokenId: String!
    """
    The same as name.
    """
    tokenName: String!
    name: String!
    description: String
    """
    Whose token it is.
    """
    actorUrn: String!
    """
    Who generated it.
    """
    ownerUrn: String!
    """
    Who generated it; null once deleted.
    """
    owner: CorpUser
    createdAt: Long!
    """
    Null: it does not expire.
    """
    expiresAt: Long
  }

  input ListAccessTokenInput {
    start: Int = 0
    count: Int = 20
    """
    All of them hold for every token of the answer.
    """
    filters: [FacetFilterInput!]
  }

  """
  A condition on a field of AccessTokenMetadata; values or value.
  """
  input FacetFilterInput {
    field: String!
    """
    One of them is enough.
    """
    values: [String!]
    value: String
    negated: Boolean
    """
    EQUAL unless given.
    """
    condition: FilterOperator
  }

  enum FilterOperator {
    CONTAIN
    EQUAL
    IEQUAL
    IN
    EXISTS
    GREATER_THAN
    GREATER_THAN_OR_EQUAL_TO
    LESS_THAN
    LESS_THAN_OR_EQUAL_TO
    START_WITH
    END_WITH
    DESCENDANTS_INCL
    ANCESTORS_INCL
    RELATED_INCL
  }

  type ListAccessTokenResult {
    start: Int!
    """
    How many are in this answer.
    """
    count: Int!
    """
    How many there are.
    """
    total: Int!
    tokens: [AccessTokenMetadata!]!
  }

  type CorpUser {
    urn: String!
    type: EntityType!
    username: String!
    """
    Of me; null elsewhere.
    """
    properties: CorpUserProperties
  }

  """
  Nobody's title, first and last name are kept here.
  """
  type CorpUserProperties {
    active: Boolean!
    displayName: String
    email: String
    title: String
    firstName: String
    lastName: String
    fullName: String
  }

  type DebugAccessResult {
    roles: [String!]!
    groups: [String!]!
    groupsWithRoles: [String!]!
    rolesViaGroups: [String!]!
    allRoles: [String!]!
    policies: [String!]!
    privileges: [String!]!
  }

  type ServiceAccount {
    urn: String!
    type: EntityType!
    name: String!
    displayName: String
    description: String
    createdBy: String
    createdAt: Long
    updatedAt: Long
  }

  input CreateServiceAccountInput {
    displayName: String
    description: String
  }

  input ListServiceAccountsInput {
    start: Int = 0
    count: Int = 10
    """
    Part of a name or description.
    """
    query: String
  }

  type ListServiceAccountsResult {
    start: Int!
    count: Int!
    total: Int!
    serviceAccounts: [ServiceAccount!]!
  }

  type AuthenticatedUser {
    corpUser: CorpUser!
    platformPrivileges: PlatformPrivileges!
  }

  type PlatformPrivileges {
    generatePersonalAccessTokens: Boolean!
    manageTokens: Boolean!
    manageServiceAccounts: Boolean!
  }

  type AppConfig {
    authConfig: AuthConfig!
  }

  type AuthConfig {
    tokenAuthEnabled: Boolean!
    allowNoExpiry: Boolean!
    """
    ISO 8601, the shortest first: what createAccessToken takes as durationIso. No expiry is allowNoExpiry's.
    """
    allowedAccessTokenDurations: [String!]!
  }
`;
