import type { DocumentNode } from 'graphql';

/** In characters: parsed, a document takes a hundred times as much. */
const LONGEST = 2_000;
const IN_ALL = 40_000;

/** Documents that were found to be valid: programs send the same few, and reading one takes longer than running it. */
export interface DocumentMemory {
  find(text: string): DocumentNode | undefined;
  isValid(document: DocumentNode): boolean;
  /** Keeps a valid document, unless it is long, for as long as others are not used more recently. */
  keep(document: DocumentNode): void;
}

/** Opens a memory that whoever is let in can fill, but not with much. */
export function createDocumentMemory(): DocumentMemory {
  const byText = new Map<string, DocumentNode>();
  const valid = new WeakSet<DocumentNode>();
  let size = 0;
  return {
    find(text) {
      const document = byText.get(text);
      if (!document) return undefined;
      byText.delete(text);
      byText.set(text, document);
      return document;
    },
    isValid: (document) => valid.has(document),
    keep(document) {
      const text = document.loc?.source.body;
      if (text === undefined || text.length > LONGEST || byText.has(text)) return;
      valid.add(document);
      byText.set(text, document);
      size += text.length;
      for (const oldest of byText.keys()) {
        if (size <= IN_ALL) return;
        byText.delete(oldest);
        size -= oldest.length;
      }
    },
  };
}
