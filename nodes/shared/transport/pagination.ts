import type { IDataObject } from 'n8n-workflow';
import type { Page } from '../api/lists';

/** The page sizes to try, in this order: AcountPay does not document its maximum. */
const PAGE_SIZES = [100, 50, 20, 10, 5, 2, 1];

/** How many requests a list may take beyond those that its length needs. A list that keeps changing ends here. */
const SPARE_REQUESTS = 40;

/** How often the whole list is read again when it has more entries than were found. */
const MAX_PASSES = 3;

/**
 * Reads one page.
 * @param page from 1
 * @returns 'tooLarge' when the server does not take `limit`
 */
export type FetchPage = (page: number, limit: number) => Promise<Page | 'tooLarge'>;

/** The list kept changing, or its pages repeat. */
export class UnreadableList extends Error {}

/** A part of the list, by positions from 0: `start` up to, and without, `end`. */
interface Window {
	page: number;
	limit: number;
	start: number;
	end: number;
}

/**
 * Reads a list that is served in pages, while entries may come and go: each entry once, and every entry that is there
 * all the time. Entries must keep their order.
 *
 * Entries that come at the front move others to later pages, where they are met again. Entries that go (such as a payment
 * that is no longer pending) move others to earlier pages, where they would be missed. So each page overlaps what was
 * read before: a page size that is a little smaller begins a little earlier. A page that holds no entry that is known
 * shows a gap, and the reader goes back. A server that only takes certain page sizes is asked for the page before again.
 * One that takes no notice of the size, and does not say so, shows itself by a first page of one entry less.
 * In the end the server's own count tells whether the order was kept; if not, the list is read again.
 *
 * @param fetchPage reads one page
 * @param keyOf what tells an entry from the others
 * @param wanted how many entries are wanted at most
 * @returns the entries, in the order of the list unless it changed meanwhile
 * @throws UnreadableList; whatever `fetchPage` throws
 */
export async function collectPages(
	fetchPage: FetchPage,
	keyOf: (entry: IDataObject) => string,
	wanted = Infinity,
): Promise<IDataObject[]> {
	const reader = new ListReader(fetchPage, keyOf, wanted);
	for (let pass = 1; pass <= MAX_PASSES; pass++) {
		await reader.readOnce();
		if (!reader.isMissingSome) break;
	}
	return reader.result;
}

class ListReader {
	/** What was found, by key. */
	private readonly found = new Map<string, IDataObject>();
	/** The largest page that the server gives, as far as is known. */
	private size: number;
	/** Whether the server has given a page, so that its size is known. */
	private isSizeKnown = false;
	/** Whether the server takes this page size only. */
	private isSizeFixed = false;
	/** The page size that the server has taken first. */
	private acceptedSize = 0;
	/** Whether a first page of one entry less is to show if the server takes notice of the size that it is asked for. */
	private isSizeDoubtful = false;
	/** How many entries there are, as the server last said. */
	private total?: number;
	private requests = 0;

	constructor(
		private readonly fetchPage: FetchPage,
		private readonly keyOf: (entry: IDataObject) => string,
		private readonly wanted: number,
	) {
		this.size = Math.min(PAGE_SIZES[0], wanted);
	}

	get result(): IDataObject[] {
		const entries = [...this.found.values()];
		return entries.length > this.wanted ? entries.slice(0, this.wanted) : entries;
	}

	/** Whether the list has entries that are wanted and were not found. */
	get isMissingSome(): boolean {
		return !this.isEnough && this.total !== undefined && this.found.size < this.total;
	}

	private get isEnough(): boolean {
		return this.found.size >= this.wanted;
	}

	/** Reads from the beginning to the end, or until there is enough. */
	async readOnce(): Promise<void> {
		let end = 0;
		let furthest = 0;
		let stepBack = this.size;
		const isRepeated = this.found.size > 0;
		for (;;) {
			const window = this.windowAfter(end);
			const page = await this.fetch(window);
			if (page === 'tooLarge') {
				this.shrink(window.limit);
				continue;
			}
			const isFirst = !this.isSizeKnown;
			const got = this.filledBy(window, page);
			// The server has a size of its own: what it has sent begins later than what was read.
			if (got.start > end) continue;
			const isConnected = got.start === 0 || got.start === end || this.holdsKnown(page);
			if (!isConnected) {
				this.isSizeDoubtful = page.limit === undefined;
				end = Math.max(0, Math.min(end, got.start) - stepBack);
				stepBack *= 2;
				continue;
			}
			const before = this.found.size;
			this.add(page);
			if (got.start === end && got.page > 1) await this.readAgain(got.page - 1);
			if (this.isEnough || (isRepeated && !this.isMissingSome)) return;
			const hasNothingNew = got.end > furthest && this.found.size === before;
			if (this.isLast(got, page, hasNothingNew, isFirst)) return;
			end = Math.max(end, got.end);
			furthest = Math.max(furthest, got.end);
			stepBack = this.size;
		}
	}

	/** The next part to read: it begins before `end` where a page can, and reaches as far as possible. */
	private windowAfter(end: number): Window {
		const { size } = this;
		const at = (start: number, limit: number): Window => ({
			page: start / limit + 1,
			limit,
			start,
			end: start + limit,
		});
		const showsSize = this.isSizeDoubtful && !this.isSizeFixed && size > 1;
		if (end === 0) return at(0, showsSize ? size - 1 : size);
		if (!this.isSizeFixed) {
			let best: Window | undefined;
			for (let limit = size; limit >= size / 2 && limit > 1; limit--) {
				const window = at(Math.floor((end - 1) / limit) * limit, limit);
				if (window.end > end && window.end > (best?.end ?? 0)) best = window;
			}
			if (best) return best;
		}
		return at(Math.floor(end / size) * size, size);
	}

	private async fetch({ page, limit }: Pick<Window, 'page' | 'limit'>): Promise<Page | 'tooLarge'> {
		const needed = (this.total ?? this.found.size) / Math.max(1, this.size / 2);
		if (++this.requests > SPARE_REQUESTS + 2 * needed) throw new UnreadableList();
		const got = await this.fetchPage(page, limit);
		if (got !== 'tooLarge' && got.total !== undefined) this.total = got.total;
		return got;
	}

	private shrink(refused: number): void {
		if (this.isSizeKnown) {
			// A smaller page than one that was given can't be too large: the server takes certain sizes only.
			if (this.isSizeFixed) throw new UnreadableList();
			this.isSizeFixed = true;
			this.size = this.acceptedSize;
			return;
		}
		this.size = PAGE_SIZES.find((size) => size < refused)!;
	}

	/** The window that a page really fills: the server may give more or fewer entries than it was asked for. */
	private filledBy({ page, limit }: Window, { entries, total, limit: stated }: Page): Window {
		let size = stated ?? limit;
		if (stated === undefined && entries.length > limit) size = entries.length;
		const isCut =
			!this.isSizeFixed &&
			stated === undefined &&
			page === 1 &&
			entries.length > 0 &&
			entries.length < limit;
		if (isCut && (total === undefined || total > entries.length)) size = entries.length;
		if (size > limit) this.isSizeFixed = true;
		if (size !== limit) this.size = size;
		if (!this.isSizeKnown) this.acceptedSize = stated ?? limit;
		this.isSizeKnown = true;
		return { page, limit: size, start: (page - 1) * size, end: page * size };
	}

	/** With pages that can't overlap, what has moved from a page to the one before is found by reading that once more. */
	private async readAgain(page: number): Promise<void> {
		const got = await this.fetch({ page, limit: this.size });
		if (got !== 'tooLarge') this.add(got);
	}

	private holdsKnown({ entries }: Page): boolean {
		return entries.some((entry) => this.found.has(this.keyOf(entry)));
	}

	/** An entry that is met again stays where it was, as it is by now. */
	private add({ entries }: Page): void {
		for (const entry of entries) this.found.set(this.keyOf(entry), entry);
	}

	private isLast(
		{ end, limit }: Window,
		page: Page,
		hasNothingNew: boolean,
		isFirst: boolean,
	): boolean {
		const { entries, total } = page;
		if (entries.length === 0) return true;
		if (total !== undefined) return end >= total;
		// Without a count: a short page is the last, but the first may have been cut to the server's own size.
		const isShort = entries.length < limit;
		return hasNothingNew || (isShort && !isFirst);
	}
}
