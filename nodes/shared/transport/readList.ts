import type { IDataObject } from 'n8n-workflow';
import { type Page, readPage } from '../api/lists';
import type { ApiRequest } from '../api/request';
import { ApiError } from '../errors';
import type { Subject } from './apiErrors';
import type { Client } from './client';
import { MAX_ENTRIES, pagesOf, tooLongError } from './pagination';
import { read } from './read';
import type { CallOptions } from './sendWithRetries';

/** How long a list may take when the caller sets no deadline, in ms. */
const LIST_TIME = 10 * 60_000;

/** A list at AcountPay. */
export interface List {
	subject: Subject;
	/**
	 * The request for one page; or for all of a list that is documented without pages. If AcountPay
	 * serves pages anyway, they are read.
	 */
	request: ApiRequest | ((page: number, limit: number) => ApiRequest);
	/** Under which name a response has it (documented; assumed for merchants). */
	name: 'payments' | 'merchants' | 'stores';
	/** What tells an entry from the others. */
	idOf(entry: IDataObject): string | undefined;
}

/**
 * Reads a list page by page, for callers that may have enough before its end and then break off. {@link pagesOf}
 * promises the same of the entries: each once, in the order of the list, all of them unless this throws.
 *
 * ```ts
 * for await (const { entries } of readPages(client, list, options)) {
 *   payments.push(...entries);
 *   if (isOldEnough(entries)) break;
 * }
 * ```
 *
 * @param options its `deadline` is checked before each page; ten minutes from now without one
 * @param wanted how many entries are wanted at most: pages are smaller then, but it is the caller who breaks off
 * @yields only entries that were not yielded before; `total` is that of the response that had them
 * @throws ReadError when not every entry was found, the list is too long or the deadline is over; ApiError or Cancelled
 */
export async function* readPages(
	client: Client,
	list: List,
	options: CallOptions,
	wanted = Infinity,
): AsyncGenerator<Page> {
	const { subject, request, idOf } = list;
	const deadline = options.deadline ?? Date.now() + LIST_TIME;
	const fetch = async (one: ApiRequest) =>
		await read(
			client,
			one,
			subject,
			{ ...options, deadline },
			({ body }) => readPage(body, list.name),
			'sent a response that is no list',
		);
	const pageRequest =
		typeof request === 'function'
			? request
			: (page: number, limit: number): ApiRequest => ({ ...request, query: { page, limit } });
	/** The entries of a list without pages, unless AcountPay has more than it sent. */
	let whole = typeof request === 'function' ? undefined : await fetch(request);
	if (whole && whole.entries.length < Math.min(wanted, whole.total ?? 0)) whole = undefined;

	yield* pagesOf(
		{
			name: subject.name,
			deadline,
			keyOf: (entry) => idOf(entry) ?? JSON.stringify(entry),
			fetchPage: async (page, limit) =>
				// There is no second page of all.
				(whole && { ...whole, ...(page > 1 && { entries: [] }) }) ??
				(await fetch(pageRequest(page, limit)).catch((error: unknown) => {
					// A page of one entry that is refused: its size is not the reason.
					const isRefused = error instanceof ApiError && [400, 422].includes(error.status ?? NaN);
					if (!isRefused || limit === 1) throw error;
					return 'tooLarge' as const;
				})),
		},
		wanted,
	);
}

/**
 * Reads the entries of a list.
 * @param wanted how many are wanted at most; Infinity for all
 * @throws as {@link readPages}
 */
export async function readList(
	client: Client,
	list: List,
	options: CallOptions,
	wanted: number,
): Promise<IDataObject[]> {
	const found: IDataObject[] = [];
	for await (const { entries, total = 0 } of readPages(client, list, options, wanted)) {
		if (Math.min(total, wanted) > MAX_ENTRIES) throw tooLongError(list.subject);
		found.push(...entries);
		if (found.length >= wanted) return found.slice(0, wanted);
	}
	return found;
}
