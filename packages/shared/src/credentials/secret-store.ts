/** Where a login rests between two commands: one secret text per account. */
export interface SecretStore {
  readonly kind: 'keyring' | 'file' | 'none';
  /** For people: `the keyring`, or the file's path. */
  readonly location: string;
  read(account: string): Promise<string | null>;
  write(account: string, secret: string): Promise<void>;
  /** Every account there is a secret of. */
  accounts(): Promise<string[]>;
  /** Whether there was one. */
  delete(account: string): Promise<boolean>;
}
