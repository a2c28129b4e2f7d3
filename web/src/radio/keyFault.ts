/** What is wrong with a key file, with a passphrase, or with the key of this browser. */
export type KeyFaultReason =
  /** The passphrase opens nothing. */
  | 'passphrase'
  /** The passphrase is too short, or too long. */
  | 'length'
  /** Something in the file is not as it was written. */
  | 'damaged'
  /** The file is of a version that this page does not know. */
  | 'newer'
  /** It is no key file. */
  | 'foreign'
  /** The browser does not give this key out: it was made before keys could be taken along. */
  | 'kept';

export class KeyFault extends Error {
  constructor(readonly reason: KeyFaultReason) {
    super(reason);
  }
}
