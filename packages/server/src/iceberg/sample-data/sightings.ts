import type { StructField } from '../metadata/table-metadata.ts';

/** The demo table: who saw which pangolin where. All of it is made up, but for the species and how heavy they get. */
export const SIGHTINGS_COLUMNS = [
  { id: 1, name: 'sighting_id', type: 'long', required: true },
  { id: 2, name: 'seen_at', type: 'timestamptz', required: true },
  { id: 3, name: 'seen_on', type: 'date', required: true },
  { id: 4, name: 'species', type: 'string', required: true },
  { id: 5, name: 'country', type: 'string', required: true },
  { id: 6, name: 'weight_kg', type: 'double', required: false, doc: 'Null: it would not hold still.' },
  { id: 7, name: 'rolled_up', type: 'boolean', required: true, doc: 'Whether it rolled up into a ball.' },
] as const satisfies readonly StructField[];

/** The value of each column as Iceberg counts it: microseconds and days since 1970. */
export interface Sighting {
  sighting_id: bigint;
  seen_at: bigint;
  seen_on: number;
  species: string;
  country: string;
  weight_kg: number | null;
  rolled_up: boolean;
}

const SPECIES = [
  { species: 'Chinese pangolin', countries: ['China', 'Nepal', 'Taiwan'], weightsKg: [2, 7] },
  { species: 'Indian pangolin', countries: ['India', 'Sri Lanka'], weightsKg: [10, 16] },
  { species: 'Sunda pangolin', countries: ['Malaysia', 'Thailand', 'Vietnam'], weightsKg: [3, 10] },
  { species: 'Philippine pangolin', countries: ['Philippines'], weightsKg: [2, 7] },
  { species: 'White-bellied pangolin', countries: ['Cameroon', 'Ghana', 'Uganda'], weightsKg: [1, 3] },
  { species: 'Black-bellied pangolin', countries: ['Gabon', 'Cameroon'], weightsKg: [2, 4] },
  { species: 'Giant pangolin', countries: ['Gabon', 'Uganda'], weightsKg: [25, 35] },
  { species: 'Ground pangolin', countries: ['Botswana', 'Namibia', 'South Africa'], weightsKg: [7, 18] },
] as const;

const ROWS = 200;
const FIRST_MS = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** 200 rows, the same ones every time, in the order of their ids and times: from January to June 2026. */
export function createSightings(): Sighting[] {
  const random = createRandom(7);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  return Array.from({ length: ROWS }, (_, index) => {
    const { species, countries, weightsKg } = pick(SPECIES);
    const [least, most] = weightsKg;
    const seenMs = FIRST_MS + index * 21 * HOUR_MS + Math.floor(random() * 20 * 3_600) * 1_000;
    return {
      sighting_id: BigInt(index + 1),
      seen_at: BigInt(seenMs) * 1_000n,
      seen_on: Math.floor(seenMs / DAY_MS),
      species,
      country: pick<string>(countries),
      weight_kg: random() < 0.1 ? null : Math.round((least + random() * (most - least)) * 100) / 100,
      rolled_up: random() < 0.6,
    };
  });
}

/** mulberry32: numbers from 0 to 1 that follow from the seed. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
