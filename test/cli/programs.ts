import { pangolinAdmin } from '../../packages/admin-cli/src/program.ts';
import { pangolinUser } from '../../packages/user-cli/src/program.ts';

export const user = pangolinUser('0.1.0');
export const admin = pangolinAdmin('0.1.0');

export const UNKNOWN_ID = '0198c5a4-7d5e-7c3b-9a52-3f1f2f0f8a11';
export const JWT = /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/;
export const API_KEY = /pgl_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}/;
export const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;
