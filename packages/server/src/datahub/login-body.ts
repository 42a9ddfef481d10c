import { anyText } from '@pangolin/shared/contract/fields';
import * as z from 'zod/mini';

/** What `POST /logIn` takes: DataHub's clients send exactly this, and its own server ignores whatever else there is. */
export const Credentials = z.object({ username: anyText(1, 255), password: anyText(1, 1024) });
export type Credentials = z.output<typeof Credentials>;
