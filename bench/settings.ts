/** How long each request to the sandbox takes before it is handled, in ms. */
export const LATENCY_MS = 20;

/** How many calls are in flight at once, where that is ours to say. */
export const CONCURRENCY = 10;

/** How many items the runs have in which something goes wrong. */
export const TROUBLE_ITEMS = 100;
