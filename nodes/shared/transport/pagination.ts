import { type IDataObject, sleep } from 'n8n-workflow';
import type { Page } from '../api/lists';
import { ReadError } from '../errors';

/** The page sizes to try, in this order: AcountPay does not document its maximum. */
const PAGE_SIZES = [100, 50, 20, 10, 5, 2, 1];

/** The size of a page when no limit is asked for (documented). A page that states no limit is taken to have at least this one. */
const DEFAULT_PAGE_SIZE = 20;

/** How many pages of one list are read, repeated readings included. */
const MAX_PAGES = 2_000;

/** How many entries of one list are read: they are all in memory. */
export const MAX_ENTRIES = 100_000;

/** How many readings in a row may find nothing new before a list is given up that should have more. */
const MAX_IDLE_PASSES = 8;

/** How many entries are yielded at once, before n8n gets to run. */
const SLICE = 1_000;

/** How a list is read. */
interface PagedList {
	/** What the user calls it: 'the list of payments'. */
	name: string;
	/**
	 * Reads one page.
	 * @param page from 1
	 * @returns 'tooLarge' when the server does not take `limit`; never for a page of one entry
	 */
	fetchPage(page: number, limit: number): Promise<Page | 'tooLarge'>;
	/** What distinguishes an entry from the others. */
	keyOf(entry: IDataObject): string;
	/** Until when pages are read, in ms since 1970. */
	deadline: number;
}

/** Whether a page may not be the last one. */
const isFullPage = ({ entries, limit = DEFAULT_PAGE_SIZE }: Page): boolean =>
	entries.length > 0 && entries.length >= limit;

/** The error for a list with more entries or pages than are read. */
export const tooLongError = ({ name }: Pick<PagedList, 'name'>): ReadError =>
	new ReadError(
		name,
		`it is too long: this node reads at most ${MAX_ENTRIES} entries and ${MAX_PAGES} pages`,
		"Turn off 'Return All' and set a Limit.",
	);

/**
 * Reads a list that is served in pages. Yields each entry once, as it was when it was first read. A caller that has enough
 * breaks off; one that doesn't gets every entry that was there all the time.
 *
 * Entries come and go meanwhile and may be shuffled, so the list is read again until as many entries as its own count
 * (`total`, documented for payments) were found. When the count falls, entries may have moved to pages that were read already:
 * reading starts over, and entries found before no longer count. One thing goes unnoticed: between two pages one entry is
 * removed and another added further down, so that the count stays and an entry is skipped. A list without a count is read
 * until a reading finds nothing new; so is one whose count is smaller than the number of entries read. If that reading ends
 * with a full page that came again, there may be more.
 *
 * @param wanted how many entries are wanted at most: a smaller page will do
 * @yields pages in the order of the list, in parts of at most 1,000 entries; n8n gets to run between them
 * @throws ReadError when its count is not reached, or it is too long, or the deadline is over; whatever `fetchPage`
 *   throws
 */
export async function* pagesOf(list: PagedList, wanted = Infinity): AsyncGenerator<Page> {
	const fetch = pageFetcher(list, wanted);
	const yielded = new Set<string>();
	/** The entries that were found since the count has fallen. */
	const found = new Set<string>();
	let total: number | undefined;

	for (let idlePasses = 0; idlePasses < MAX_IDLE_PASSES; ) {
		let isIdle = true;
		let isFull = false;
		for await (const page of onePass(fetch)) {
			const hasFallen = (page.total ?? Infinity) < (total ?? 0);
			total = page.total;
			isFull = isFullPage(page);
			if (hasFallen) {
				isIdle = false;
				found.clear();
				break;
			}
			for (let start = 0; start < page.entries.length; start += SLICE) {
				if (start > 0) await sleep(0);
				const fresh: IDataObject[] = [];
				for (const entry of page.entries.slice(start, start + SLICE)) {
					const key = list.keyOf(entry);
					if (found.has(key)) continue;
					if (!yielded.has(key)) fresh.push(entry);
					yielded.add(key);
					found.add(key);
					isIdle = false;
				}
				yield { ...page, entries: fresh };
			}
			if (found.size >= (total ?? Infinity)) return;
			if (yielded.size > MAX_ENTRIES) throw tooLongError(list);
		}
		if (isIdle && total === undefined) {
			if (!isFull) return;
			throw new ReadError(list.name, 'it sent the same page again and again, without a count');
		}
		idlePasses = isIdle ? idlePasses + 1 : 0;
	}
	throw new ReadError(list.name, 'its pages kept changing');
}

/** Reads a page, and finds out how large it may be, and whether its count is one of the list. */
function pageFetcher({ name, fetchPage, keyOf, deadline }: PagedList, wanted: number) {
	let size = Math.min(PAGE_SIZES[0], wanted);
	let pages = 0;
	/** The entries of the reading so far, each once: a page may come again. */
	const read = new Set<string>();
	let isTotalWrong = false;
	return async (number: number): Promise<Page> => {
		for (;;) {
			if (Date.now() > deadline) {
				throw new ReadError(name, 'its end was not reached in time');
			}
			if (++pages > MAX_PAGES) throw tooLongError({ name });
			const page = await fetchPage(number, size);
			if (page === 'tooLarge') {
				size = PAGE_SIZES.find((smaller) => smaller < size) ?? 1;
				continue;
			}
			const { entries, total = Infinity } = page;
			if (number === 1) {
				// The server's maximum may be smaller. For page 2 it may still skip as many entries as were asked for.
				if (entries.length > 0) size = Math.min(size, entries.length);
				read.clear();
			}
			for (const entry of entries) read.add(keyOf(entry));
			// An empty page may state a smaller count: entries were taken out meanwhile.
			isTotalWrong ||= entries.length > 0 && total < read.size;
			return isTotalWrong ? { ...page, total: undefined } : page;
		}
	};
}

/**
 * Reads from the first page to the last, or to one that begins like the one before. A full first page whose count is its
 * own length may count itself, and not the list: it is not believed, only that of the second page.
 */
async function* onePass(fetch: (number: number) => Promise<Page>): AsyncGenerator<Page> {
	let read = 0;
	let lastHead: string | undefined;
	for (let number = 1; ; number++) {
		const page = await fetch(number);
		const { entries } = page;
		const isOfPage = number === 1 && isFullPage(page) && page.total === entries.length;
		const total = isOfPage ? undefined : page.total;
		yield { ...page, total };
		read += entries.length;
		const head = JSON.stringify(entries[0]);
		const isEnd = read >= (total ?? Infinity);
		if (entries.length === 0 || head === lastHead || isEnd) return;
		lastHead = head;
	}
}
