/** What tells who the keys belong to (documented). Reading it changes nothing. */
export const PROFILE_PATH = '/v1/partner/profile';
