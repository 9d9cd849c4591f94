import { createHash } from 'node:crypto';
import type { IDataObject } from 'n8n-workflow';
import { MAX_CLOCK_DIFFERENCE, MAX_KEY_EVENT_AGE } from '../shared/webhooks/schemes';
import { subjectOf, type WebhookEvent } from '../shared/api/events';

const HOUR = 60 * 60_000;

/**
 * For how long an event is remembered at least, in ms: as long as somebody could pass off a recorded delivery of it as new.
 * To remember longer, add to it here, and to {@link MEMORY_SIZE}. Don't raise `MAX_KEY_EVENT_AGE` for it: older deliveries
 * would be accepted. The field 'Ignore Repeats', README.md, docs/operations.md and docs/trust.md say 24 hours.
 */
export const MEMORY = MAX_KEY_EVENT_AGE + MAX_CLOCK_DIFFERENCE;
/** How many events are remembered for one trigger at most: enough for one every two seconds within {@link MEMORY}. */
export const MEMORY_SIZE = 50_000;

/** 48 bits of a hash. Each new event has two keys: among 50,000 events, about one in 3 billion is taken for a repeat. */
const KEY_LENGTH = 8;
/** Each of several keys in one text. */
const KEYS = /.{8}/gs;

/** By hour since 1970: the keys of its events, the oldest first, joined into one text, which n8n copies and stores as it is. */
type Memory = Map<number, string>;

/** What this process remembers for each trigger: deliveries at the same moment do not see each other in n8n's static data. */
const memories = new Map<string, Memory>();

const keyOf = (parts: unknown[]): string =>
	createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, KEY_LENGTH);

/**
 * The deduplication keys of an event: the one that is stored, and the one that versions stored whose keys had no environment
 * yet. They exclude the signature, which differs when AcountPay sends an event again. A payment ends once; a merchant can
 * be activated twice, so the time of the event counts there.
 */
function keysOf(event: WebhookEvent, environment: string): [key: string, older: string] {
	const { kind, id } = subjectOf(event) ?? {};
	const parts = kind === 'merchant' ? [event.event, id, event.timestamp] : [event.event, id];
	return [keyOf([...parts, { environment }]), keyOf(parts)];
}

/** Whether a text of keys has this key as one of them, and not just the end of one and the beginning of the next. */
function has(keys: string, key: string): boolean {
	let at = keys.indexOf(key);
	while (at % KEY_LENGTH > 0) at = keys.indexOf(key, at + 1);
	return at >= 0;
}

const split = (keys: string): string[] => keys.match(KEYS) ?? [];

/** The keys of both texts. Nearly always one text continues the other; if several processes serve one trigger, they differ. */
function joined(stored: string, here: string): string {
	if (stored.startsWith(here)) return stored;
	if (here.startsWith(stored)) return here;
	const inStored = new Set(split(stored));
	const missing = split(here).filter((key) => !inStored.has(key));
	return stored + missing.join('');
}

/**
 * What is stored. Version 0.1.0 stored the first 16 characters of the same hash, each with its time in ms since 1970. Whoever
 * edits the workflow can write there too, so anything in another form is ignored.
 */
function storedIn({ seenByHour, seenEvents }: IDataObject): Memory {
	const memory: Memory = new Map();
	const add = (hour: number, keys: unknown) => {
		const isWhole = typeof keys === 'string' && keys.length % KEY_LENGTH === 0;
		if (isWhole && Number.isInteger(hour)) memory.set(hour, (memory.get(hour) ?? '') + keys);
	};
	for (const [hour, keys] of Object.entries(seenByHour ?? {})) add(Number(hour), keys);
	for (const [key, at] of Object.entries(seenEvents ?? {})) {
		if (typeof at === 'number') add(hourOf(at), key.slice(0, KEY_LENGTH));
	}
	return memory;
}

const hourOf = (time: number) => Math.floor(time / HOUR);

/**
 * Events from the future came while the clock was ahead. They count as of the present hour, or they would be remembered
 * longer than all others. The next hour is allowed: another process's clock may be a little ahead.
 */
function withoutFuture(memory: Memory, now: number): Memory {
	const present = hourOf(now);
	const result: Memory = new Map();
	for (const [hour, keys] of memory) {
		const at = hour > present + 1 ? present : hour;
		result.set(at, joined(result.get(at) ?? '', keys));
	}
	return result;
}

/** Drops the oldest keys until `size` are left. */
function shrink(memory: Memory, size: number): void {
	let surplus = -size * KEY_LENGTH;
	for (const keys of memory.values()) surplus += keys.length;
	for (const hour of [...memory.keys()].sort((one, other) => one - other)) {
		if (surplus <= 0) return;
		const keys = memory.get(hour)!;
		memory.set(hour, keys.slice(surplus));
		if (surplus >= keys.length) memory.delete(hour);
		surplus -= keys.length;
	}
}

/**
 * Remembers an event, in n8n's static data of the node and in this process. n8n may have dropped the static data, or have
 * restored an older state of it, so each of the two gets the other's keys. n8n loads and stores the static data as a whole
 * for each event. So that this stays cheap, it has few texts, with 8 characters per event.
 * @param triggerId tells the trigger from others in the same process
 * @param environment the base URL of the environment: each numbers its payments separately
 * @param staticData n8n's static data of the node; n8n stores it when `webhook()` returns, as the node has responded by then
 * @param now ms since 1970
 * @returns whether it has come before, among the last {@link MEMORY_SIZE} events: within {@link MEMORY}, or up to an hour more
 */
export function isRepeat(
	event: WebhookEvent,
	{ triggerId, environment }: { triggerId: string; environment: string },
	staticData: IDataObject,
	now: number,
): boolean {
	const inStaticData = storedIn(staticData);
	const memory = withoutFuture(inStaticData, now);
	let isStored = [...inStaticData.keys()].every((hour) => memory.has(hour));
	for (const [hour, keys] of withoutFuture(memories.get(triggerId) ?? new Map(), now)) {
		const stored = memory.get(hour) ?? '';
		const all = joined(stored, keys);
		isStored &&= all === stored;
		memory.set(hour, all);
	}
	const isOver = (hour: number) => (hour + 1) * HOUR + MEMORY <= now;
	for (const hour of memory.keys()) if (isOver(hour)) memory.delete(hour);
	// Triggers that were removed leave nothing behind for ever.
	for (const [id, old] of memories) if ([...old.keys()].every(isOver)) memories.delete(id);
	memories.set(triggerId, memory);
	const [key, older] = keysOf(event, environment);
	const isKnown = [...memory.values()].some((keys) => has(keys, key) || has(keys, older));
	shrink(memory, isKnown ? MEMORY_SIZE : MEMORY_SIZE - 1);
	if (!isKnown) {
		const hour = hourOf(now);
		memory.set(hour, (memory.get(hour) ?? '') + key);
	}
	if (!isKnown || !isStored) {
		staticData.seenByHour = Object.fromEntries(memory);
		delete staticData.seenEvents;
	}
	return isKnown;
}
